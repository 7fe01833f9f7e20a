/** Asks the HTTP API of a dashboard, for commands that are given `--api`: where there is no Redis. */
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT } from '../terminal/exit.ts';

/** Ms for an answer. */
const WITHIN_MS = 30_000;

export interface ApiPage<Item> {
  items: Item[];
  next: string | null;
}

interface ApiRefusal {
  title?: string;
  detail?: string;
  hint?: string;
}

export class ApiClient {
  readonly #base: string;
  readonly #token: string;

  /** @throws CliError for an address that is none, or without a token */
  constructor(address: string, token: string | undefined) {
    const url = URL.parse(address);
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search)
      throw new CliError(EXIT.usage, '--api takes an address such as https://wrapup.example.com');
    if (!token)
      throw new CliError(EXIT.usage, 'WRAPUP_API_TOKEN is not set', 'where Redis is: wrapup token add --role operator');
    this.#base = `${url.origin}${url.pathname.replace(/\/(api\/v1\/?)?$/, '')}/api/v1`;
    this.#token = token;
  }

  /** @throws CliError for what is refused, and where nothing answers */
  get<Answer>(path: string, query: Record<string, string | number | undefined> = {}): Promise<Answer> {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return this.#ask<Answer>(given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path);
  }

  post<Answer>(path: string, body: object = {}): Promise<Answer> {
    return this.#ask<Answer>(path, body);
  }

  /** Items of all pages, `limit` at most. */
  async *all<Item>(
    path: string,
    query: Record<string, string | number | undefined>,
    limit = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Item> {
    let left = limit;
    for (let cursor = query.cursor; left > 0; ) {
      const page = await this.get<ApiPage<Item>>(path, { ...query, cursor, limit: Math.min(200, left) });
      for (const item of page.items) {
        if (left <= 0) return;
        left -= 1;
        yield item;
      }
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  async #ask<Answer>(path: string, body?: object): Promise<Answer> {
    let answer: Response;
    let said: unknown;
    try {
      answer = await fetch(`${this.#base}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token goes to the address that was given, and to no other.
        redirect: 'error',
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      said = await answer.json();
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      throw new CliError(
        EXIT.unreachable,
        `no API answers at ${this.#base}${code === undefined ? '' : ` (${code})`}`,
        'is that the address of the dashboard, without a redirect?',
      );
    }
    if (answer.ok) return said as Answer;
    const { title = `HTTP ${answer.status}`, detail = '', hint } = (said ?? {}) as ApiRefusal;
    const exit = answer.status >= 500 || answer.status === 429 ? EXIT.unreachable : EXIT.failed;
    const what = detail && detail !== title ? `${title}: ${detail}` : title;
    throw new CliError(exit, clean(what), hint && clean(hint));
  }
}
