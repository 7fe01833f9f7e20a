/** What an endpoint answers, before it is sent: faults may still change or drop it. */
export interface Reply {
  status: number;
  /** Sent as JSON; absent for no body. */
  body?: unknown;
  /** Sent as it is, where there is no `body`. */
  text?: string;
  headers?: Record<string, string>;
}
