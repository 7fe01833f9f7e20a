/** Which requests came, for counting what a way of working costs. Bodies are kept apart and only the latest ones. */

export interface RequestEntry {
  n: number;
  /** ISO 8601. */
  at: string;
  api: string;
  method: string;
  /** Pattern: objects by name, everything else that differs between records as `:id`. */
  path: string;
  object?: string;
  /** `batch/create`, `search`. */
  operation: string;
  /** Rows of a batch. */
  inputs?: number;
  /** 0 when the client got no answer. */
  status: number;
  ms: number;
  /** Kind of the fault that hit it. */
  fault?: string;
  request_body?: string;
  response_body?: string;
}

export interface RequestCounts {
  total: number;
  /** By method and path pattern. */
  by_endpoint: Record<string, number>;
  /** By object and operation, whatever the version in the path: `calls batch/create`. */
  by_operation: Record<string, number>;
  by_status: Record<string, number>;
}

const KEPT = 20_000;
const BODIES_KEPT = 500;

export interface Open {
  n: number;
  close(end: {
    status: number;
    fault?: string | undefined;
    inputs?: number | undefined;
    requestBody?: string;
    responseBody?: string;
  }): void;
}

export class RequestLog {
  #entries: RequestEntry[] = [];
  #counts: RequestCounts = { total: 0, by_endpoint: {}, by_operation: {}, by_status: {} };
  readonly #apis = new Set<string>();
  #n = 0;

  open(about: { api: string; method: string; path: string; object?: string | undefined; operation: string }): Open {
    const n = ++this.#n;
    this.#apis.add(about.api);
    const { object, ...rest } = about;
    const entry: RequestEntry = {
      n,
      at: new Date().toISOString(),
      ...rest,
      ...(object && { object }),
      status: 0,
      ms: 0,
    };
    const began = performance.now();
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
    this.#counts.total += 1;
    count(this.#counts.by_endpoint, `${entry.method} ${entry.path}`);
    count(this.#counts.by_operation, object ? `${object} ${entry.operation}` : entry.operation);
    return {
      n,
      close: ({ status, fault, inputs, requestBody, responseBody }) => {
        entry.status = status;
        entry.ms = Math.round(performance.now() - began);
        if (fault) entry.fault = fault;
        if (inputs !== undefined) entry.inputs = inputs;
        if (requestBody) entry.request_body = requestBody;
        if (responseBody) entry.response_body = responseBody;
        count(this.#counts.by_status, String(status));
        const old = this.#entries.at(-1 - BODIES_KEPT);
        if (old) {
          delete old.request_body;
          delete old.response_body;
        }
      },
    };
  }

  /** Whether a request came to that API: `salesforce`. */
  hasFrom(api: string): boolean {
    return this.#apis.has(api);
  }

  get counts(): RequestCounts {
    return structuredClone(this.#counts);
  }

  /** @param bodies with the bodies of the latest requests, which hold people's data */
  entries({ bodies = false } = {}): RequestEntry[] {
    return this.#entries.map(({ request_body, response_body, ...entry }) => ({
      ...entry,
      ...(bodies && request_body !== undefined && { request_body }),
      ...(bodies && response_body !== undefined && { response_body }),
    }));
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
