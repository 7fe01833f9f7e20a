/** Requests of the live run that the adapter would not make: what Salesforce says to them is the answer that is looked for. */

import { type Context, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { asList, asObject, asText } from '@wrapup/destination/http';
import type { SalesforceTransport } from '../src/client/transport.ts';
import { SalesforceFailure } from '../src/errors/classify.ts';

export interface RawAnswer {
  /** HTTP status, also of a refusal. */
  status: number;
  body: unknown;
  /** Code of a refusal. */
  code?: string;
}

export class Raw {
  readonly #transport: SalesforceTransport;
  readonly #commons = makeMemoryCommons();
  /** Ids to delete at the end, the last made first. */
  readonly made: string[] = [];

  readonly #observe: Context['observe'];

  /** @param observe called with each exchange */
  constructor(transport: SalesforceTransport, observe?: Context['observe']) {
    this.#transport = transport;
    this.#observe = observe;
  }

  get root(): string {
    return `/services/data/v${this.#transport.api_version}`;
  }

  /** @param path below the version */
  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<RawAnswer> {
    try {
      const answer = await this.#transport.send(
        {
          name: `${method} ${path.split('?')[0]}`,
          writes: method !== 'GET',
          run: (connection) =>
            connection.request({
              method,
              url: path,
              ...(body === undefined
                ? {}
                : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
            }),
        },
        makeMemoryContext(this.#commons, { within: 60_000, observe: this.#observe }),
      );
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof SalesforceFailure) || !thrown.vendor) throw thrown;
      return { status: thrown.vendor.status, body: undefined, code: thrown.vendor.code };
    }
  }

  /** Several parts in one request; each answers by itself. */
  async composite(
    parts: Record<string, { method: string; path: string; body?: unknown }>,
  ): Promise<Map<string, RawAnswer>> {
    const compositeRequest = Object.entries(parts).map(([referenceId, { method, path, body }]) => ({
      method,
      url: `${this.root}${path}`,
      referenceId,
      ...(body === undefined ? {} : { body }),
    }));
    const answer = await this.ask('POST', '/composite', {
      allOrNone: false,
      collateSubrequests: false,
      compositeRequest,
    });
    const answers = asList(asObject(answer.body).compositeResponse).map(asObject);
    return new Map(
      Object.keys(parts).map((reference) => {
        const own = answers.find(({ referenceId }) => referenceId === reference);
        const status = own ? Number(own.httpStatusCode) : answer.status;
        const code = own ? asText(asObject(asList(own.body)[0]).errorCode) : answer.code;
        return [reference, { status, body: own?.body, ...(code ? { code } : {}) }];
      }),
    );
  }

  /** A new record, which is deleted at the end. @throws when it is refused */
  async create(object: string, fields: object): Promise<string> {
    const answer = await this.ask('POST', `/sobjects/${object}`, fields);
    const id = asText(asObject(answer.body).id);
    if (!id) throw new Error(`no ${object} could be made: ${brief(answer)}`);
    this.made.push(id);
    return id;
  }

  note(id: unknown): void {
    if (asText(id)) this.made.push(asText(id));
  }

  /** @returns how many are gone */
  async cleanUp(): Promise<number> {
    const ids = [...new Set(this.made)].reverse();
    let gone = 0;
    for (let start = 0; start < ids.length; start += 200) {
      const answer = await this.ask(
        'DELETE',
        `/composite/sobjects?ids=${ids.slice(start, start + 200).join(',')}&allOrNone=false`,
      );
      gone += asList(answer.body).filter((row) => isGone(asObject(row))).length;
    }
    if (gone < ids.length) throw new Error(`deleted ${gone} of ${ids.length}: ${ids.join(', ')}`);
    return gone;
  }
}

/** What a deletion took with it counts as gone. */
function isGone({ success, errors }: Record<string, unknown>): boolean {
  return success === true || asText(asObject(asList(errors)[0]).statusCode) === 'ENTITY_IS_DELETED';
}

/** `400 INVALID_FIELD`, or what the rows of a collection say. */
export function brief({ status, code, body }: RawAnswer): string {
  const rows = asList(body).map((row) => {
    const { success, errors, errorCode } = asObject(row);
    return success === true ? 'ok' : asText(asObject(asList(errors)[0]).statusCode) || asText(errorCode) || 'refused';
  });
  return [String(status), code ?? '', rows.length > 0 && !code ? `(${rows.join(', ')})` : '']
    .filter((part) => part !== '')
    .join(' ');
}
