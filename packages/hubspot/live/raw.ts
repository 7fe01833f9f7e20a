/** Requests of the live run that no adapter would make: what HubSpot says to them is the answer that is looked for. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from '@wrapup/destination';

export interface RawAnswer {
  status: number;
  body: Record<string, unknown>;
  retry_after: string | null;
}

export interface Target {
  token: string;
  base_url: string;
  /** `2026-09` */
  version: string;
}

/** Ms that one request may take, and that a quota is waited for. */
const TIMEOUT = 20_000;
const QUOTA = 10_000;
const TRIES = 4;

export class Raw {
  readonly target: Target;

  readonly #observe: Context['observe'];

  /** @param observe called with each exchange */
  constructor(target: Target, observe?: Context['observe']) {
    this.target = target;
    this.#observe = observe;
  }

  /** @param path below the host, `{v}` stands for the version */
  async ask(method: string, path: string, body?: unknown, patient = true): Promise<RawAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const url = `${this.target.base_url}${path.replace('{v}', this.target.version)}`;
      const request = { method, url, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await fetch(url, {
        ...request,
        headers: { authorization: `Bearer ${this.target.token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const text = await response.text();
      const headers = Object.fromEntries(response.headers);
      this.#observe?.({ request, answer: { status: response.status, headers, text } });
      const answer = {
        status: response.status,
        body: parse(text),
        retry_after: response.headers.get('retry-after'),
      };
      if (!patient || answer.status !== 429 || attempt === TRIES) return answer;
      await pause(QUOTA);
    }
  }

  post(path: string, body: unknown): Promise<RawAnswer> {
    return this.ask('POST', path, body);
  }

  /** Archives a record; one that is gone counts as archived. */
  async archive(object: string, id: string): Promise<boolean> {
    const { status } = await this.ask('DELETE', `/crm/objects/{v}/${object}/${id}`);
    return status === 204 || status === 404;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { text };
  } catch {
    return { text: text.slice(0, 200) };
  }
}

/** `400 VALIDATION_ERROR INVALID_LONG`: status, category and code, without the message. */
export function brief({ status, body }: RawAnswer): string {
  const [error] = Array.isArray(body.errors) ? (body.errors as Record<string, unknown>[]) : [];
  const inside = /"error":"([A-Z_]+)"/.exec(String(body.message ?? ''))?.[1];
  return [status, body.category ?? error?.category, error?.code ?? inside]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

export function idOf({ body }: RawAnswer, index = 0): string | undefined {
  const results = Array.isArray(body.results) ? (body.results as Record<string, unknown>[]) : [body];
  const id = results[index]?.id;
  return id === undefined ? undefined : String(id);
}
