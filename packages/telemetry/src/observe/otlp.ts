/** Sends spans with the SDK of OpenTelemetry, over OTLP/HTTP. Loaded only where traces are wanted. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import manifest from '../../package.json' with { type: 'json' };
import type { Span, SpanRef, SpanSender, SpanStart } from './span.ts';

/** For what is left when a process stops. */
const CLOSE_WITHIN_MS = 2_000;

const KINDS = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

/** @throws Error when OTEL_TRACES_SAMPLER_ARG is no part from 0 to 1 */
export function openSpanSender(service: string, env: NodeJS.ProcessEnv): SpanSender {
  const share = Number(env.OTEL_TRACES_SAMPLER_ARG || 1);
  if (!(share >= 0 && share <= 1))
    throw new Error(
      `OTEL_TRACES_SAMPLER_ARG is "${env.OTEL_TRACES_SAMPLER_ARG}": give a part of the traces from 0 to 1`,
    );
  /** Ids of the span that is begun at this moment, where they are not left to chance. */
  let given: SpanRef | undefined;
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `wrapup-${service}`, 'service.version': manifest.version }),
    // By the id of the trace, so that all processes keep the same ones.
    sampler: new TraceIdRatioBasedSampler(share),
    idGenerator: {
      generateTraceId: () => given?.traceId ?? randomBytes(16).toString('hex'),
      generateSpanId: () => given?.spanId ?? randomBytes(8).toString('hex'),
    },
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('wrapup', manifest.version);

  return {
    begin({ name, kind, parent, ref, links = [], at, attributes = {} }: SpanStart): Span {
      given = ref;
      const options = { kind: KINDS[kind], attributes, links: links.map((link) => ({ context: contextOf(link) })) };
      const span = tracer.startSpan(name, { ...options, ...(at !== undefined && { startTime: at }) }, within(parent));
      given = undefined;
      const { traceId, spanId } = span.spanContext();
      return {
        ref: span.isRecording() ? { traceId, spanId } : undefined,
        set: (more) => void span.setAttributes(more),
        link: (to) => void span.addLink({ context: contextOf(to) }),
        end(failure) {
          if (failure !== undefined) {
            span.setAttribute('wrapup.code', failure);
            span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
          }
          span.end();
        },
      };
    },
    close: () => Promise.race([provider.shutdown().catch(() => {}), sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]),
  };
}

function contextOf({ traceId, spanId }: SpanRef) {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

function within(parent: SpanRef | undefined): Context {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT;
}
