/** What a fault is: its settings, what it does to a request, and how a vendor's own faults are described. */
import type { Reply } from '../reply.ts';
import type { Forms } from '../settings.ts';

/** What goes over the wire, headers as they are: nothing is added. */
export interface RawReply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export type Act =
  | { do: 'reply'; reply: RawReply }
  | { do: 'hang' }
  | { do: 'reset' }
  /** The first half of the answer, and then the connection's end, or silence. */
  | { do: 'cut' }
  | { do: 'stall' }
  | { do: 'serve'; ms: number }
  /** The answer, once the faults are cleared. */
  | { do: 'hold' };

/** What an API answers when a fault makes it fail. */
export interface ErrorBodies {
  /** The body of an error of its own. */
  error(status: number): unknown;
  unauthorized(): Reply;
  /** An answer that means success and holds no rows. */
  emptySuccess(): Reply;
  /** In which forms it answers; default: the newest. */
  forms?: Forms;
}

export interface FaultKindRule {
  /** Whether the request takes effect. */
  commits: boolean;
  /** True: it turns the request away before anything of it is done. */
  refuses?: boolean;
  act(spec: FaultSettings, bodies: ErrorBodies): Act;
}

/** A fault as it was set, apart from its kind. */
export interface FaultSettings {
  /** Only requests to this API: `hubspot`, `salesforce` or `synthflow`. */
  api?: string;
  /** Only requests with this method. */
  method?: string;
  /** Regular expression that the path must match somewhere, as the client sent it, from `/hubspot`, `/salesforce` or `/synthflow` on. */
  path?: string;
  /**
   * Only requests to this object: `calls` of HubSpot, `Task` of Salesforce. Of a composite request method, path and object may
   * be those of a part: the parts before it have taken effect when it happens.
   */
  object?: string;
  /** How often it happens; null for ever. Default 1. */
  times?: number | null;
  /** Matching requests to let through before. Default 0. */
  after?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Milliseconds, for `slow`. */
  ms?: number;
  /** Seconds, for `migrating`. */
  retry_after?: number;
  /** Rows to leave out of the answer, for `drop_rows`, or to refuse, for `row_error`: from the first. Default 1. */
  rows?: number;
  /** Regular expression, for `row_error`: the rows to refuse are those whose JSON it matches, instead of the first. */
  row?: string;
  /** What the refused rows say, for `row_error`. Default UNABLE_TO_LOCK_ROW. */
  code?: string;
  message?: string;
  /** For `empty_success` (default false) and `drop_rows` (default true): whether what the answer leaves out took effect. */
  commit?: boolean;
}

/** An answer in JSON, in place of the one that the API would give. */
export function replyJson(status: number, body: unknown, headers: Record<string, string> = {}): Act {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    do: 'reply',
    reply: { status, headers: { 'content-type': 'application/json;charset=utf-8', ...headers }, text },
  };
}
