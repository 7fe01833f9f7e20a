/** One step of a trace. */

/** Where a span is: W3C ids in hex. */
export interface SpanRef {
  traceId: string;
  spanId: string;
}

/** Names that an attribute may have. None of them holds anything personal. */
export const SPAN_ATTRIBUTES = [
  ...['wrapup.source', 'wrapup.call_id', 'wrapup.connection', 'wrapup.route', 'wrapup.priority', 'wrapup.result'],
  ...['wrapup.code', 'wrapup.attempts', 'wrapup.batch_size', 'wrapup.quota_wait_ms'],
  'http.response.status_code',
] as const;
export type SpanAttributes = Partial<Record<(typeof SPAN_ATTRIBUTES)[number], string | number>>;

export interface SpanStart {
  name: string;
  kind: 'server' | 'consumer' | 'client' | 'internal';
  /** Absent: a trace of its own. */
  parent?: SpanRef | undefined;
  /** In place of an id by chance: makes it the first span of that trace. */
  ref?: SpanRef | undefined;
  links?: readonly SpanRef[];
  /** Epoch ms; default now. */
  at?: number;
  attributes?: SpanAttributes;
}

export interface Span {
  /** Absent while tracing is off, and where the trace is none of those that are kept. */
  readonly ref: SpanRef | undefined;
  set(attributes: SpanAttributes): void;
  link(to: SpanRef): void;
  /** @param failure code of the failure that it ended with */
  end(failure?: string): void;
}

/** What takes spans and sends them. */
export interface SpanSender {
  begin(start: SpanStart): Span;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}
