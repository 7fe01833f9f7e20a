/**
 * Traces of calls, for OpenTelemetry: off unless OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) says
 * where they go, and no SDK of OpenTelemetry is loaded then.
 *
 *   webhook          ingress, from the request line to the answer: the first span of a trace
 *   ├ route call     queue `calls`
 *   └ deliver        queue `deliveries.<connection>`, one for each attempt
 *     └ write batch  all deliveries that are written together: child of one of them, and linked with the others
 *       └ request    one request to the CRM
 *
 * A trace is a revision of a call, and its id is made of both: processes share traces without anything going along in
 * queues and ledger, and anyone who knows the call finds its trace. Attributes are names from the configuration, ids of calls
 * and words of closed sets; nothing that a call says is among them.
 */
import { createHash } from 'node:crypto';
import type { Span, SpanRef, SpanSender } from './span.ts';

/** Which revision of which call. */
interface TracedCall {
  source: string;
  call_id: string;
  revision: string;
}

export interface Tracing extends SpanSender {
  readonly isOn: boolean;
  /** The first span of the trace of a revision, whether or not it has been sent yet; undefined while tracing is off. */
  rootOf(call: TracedCall): SpanRef | undefined;
}

const NO_SPAN: Span = { ref: undefined, set() {}, link() {}, end() {} };

/** Tracing that does nothing. */
export const NO_TRACING: Tracing = {
  isOn: false,
  rootOf: () => undefined,
  begin: () => NO_SPAN,
  close: async () => {},
};

/** @param service name of the process */
export async function openTracing(service: string, env: NodeJS.ProcessEnv = process.env): Promise<Tracing> {
  const target = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!target || env.OTEL_SDK_DISABLED === 'true') return NO_TRACING;
  const { openSpanSender } = await import('./otlp.ts');
  return { isOn: true, rootOf, ...openSpanSender(service, env) };
}

function rootOf({ source, call_id, revision }: TracedCall): SpanRef {
  const digest = createHash('sha256')
    .update(JSON.stringify([source, call_id, revision]))
    .digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}
