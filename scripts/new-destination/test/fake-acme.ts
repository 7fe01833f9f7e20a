/**
 * Acme in memory, on a real socket. Every test believes it, so it has to be as strict as Acme itself: what it takes, what
 * it refuses and in which words. https://acme.example/api-reference
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

type Fields = Record<string, unknown>;

export interface FakeRecord {
  id: string;
  fields: Fields;
}

interface Fault {
  kind: 'fails' | 'hangs' | 'held' | 'lost' | 'unanswered' | 'throttled' | 'refused-token' | 'empty-success';
  /** The paths that it happens to. */
  path: RegExp;
  /** How many requests it happens to; null for all. */
  times: number | null;
}

interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** What stands in for what Acme would have done. */
const INSTEAD: Partial<Record<Fault['kind'], Reply>> = {
  fails: { status: 500, body: { code: 'INTERNAL', message: 'Something went wrong' } },
  throttled: { status: 429, body: { code: 'TOO_MANY' }, headers: { 'retry-after': '1' } },
  'refused-token': { status: 401, body: { code: 'UNAUTHORIZED' } },
};

const RESULTS = ['CONNECTED', 'NO_ANSWER'];

export class FakeAcme {
  readonly token = 'acme-token';
  /** By object. */
  readonly records: Record<string, FakeRecord[]> = { people: [], call_logs: [], tasks: [] };
  readonly fields: Record<string, Set<string>> = {
    people: new Set([
      'first_name',
      'last_name',
      'phone',
      'email',
      'notes',
      'opted_out',
      'calls_made',
      'owner_id',
      'wrapup_key',
    ]),
    call_logs: new Set(['title', 'body', 'result', 'happened_at', 'person_id', 'owner_id', 'wrapup_key']),
    tasks: new Set(['subject', 'due_at', 'person_id', 'owner_id', 'wrapup_key']),
  };
  readonly users = [
    { id: '901', email: 'ada.owner@example.com', active: true },
    { id: '902', email: 'ben.seller@example.com', active: true },
    { id: '903', email: 'gone.seller@example.com', active: false },
  ];
  requests = 0;
  faults: Fault[] = [];
  /** Ids that search shows; undefined for all. */
  visible: Set<string> | undefined;
  #last = 1000;
  readonly #server: http.Server;

  private constructor() {
    this.fields.people?.add('wrapup_last_call_at');
    this.#server = http.createServer((request, response) => this.#serve(request, response));
  }

  static async start(): Promise<FakeAcme> {
    const fake = new FakeAcme();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @returns its id */
  add(object: string, fields: Fields): string {
    this.#last += 1;
    this.records[object]?.push({ id: String(this.#last), fields });
    return String(this.#last);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.requests += 1;
    let text = '';
    for await (const part of request) text += part;
    const path = request.url ?? '';
    const fault = this.faults.find((one) => one.path.test(path) && one.times !== 0);
    if (fault?.times) fault.times -= 1;
    if (fault?.kind === 'hangs') return;
    // Served when the fault is taken back.
    while (fault?.kind === 'held' && this.faults.includes(fault))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const denied = request.headers.authorization === `Bearer ${this.token}` ? undefined : INSTEAD['refused-token'];
    const body = text ? JSON.parse(text) : undefined;
    const reply = denied ?? (fault && INSTEAD[fault.kind]) ?? this.#answer(path.split('/').slice(1), body);
    if (fault?.kind === 'lost') return void request.socket.destroy();
    if (fault?.kind === 'unanswered') return;
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(JSON.stringify(fault?.kind === 'empty-success' ? {} : reply.body));
  }

  /** What Acme does and answers. */
  #answer([verb = '', object = '']: string[], body: unknown): Reply {
    const {
      field = '',
      values = [],
      phones = [],
      records = [],
    } = (body ?? {}) as {
      field?: string;
      values?: string[];
      phones?: string[];
      records?: { id?: string; fields: Fields }[];
    };
    const ok = (answer: unknown): Reply => ({ status: 200, body: answer });
    if (verb === 'account') return ok({ id: 'acme-1' });
    if (verb === 'users') return ok({ users: this.users });
    const all = this.records[object];
    if (!all) return { status: 404, body: { code: 'UNKNOWN_OBJECT', message: `There is no ${object}` } };
    if (verb === 'fields') {
      if (field) this.fields[object]?.add(field);
      return ok({ fields: [...(this.fields[object] ?? [])] });
    }
    const textOf = (record: FakeRecord) => String(field === 'id' ? record.id : record.fields[field]).toLowerCase();
    if (verb === 'read')
      return ok({ records: all.filter((one) => values.some((value) => textOf(one) === value.toLowerCase())) });
    if (verb === 'search')
      return ok({ records: all.filter((one) => phones.some((phone) => this.#isFound(one, phone))) });
    return ok({ results: records.map((record) => this.#write(object, verb, record)) });
  }

  /** By the last seven digits, as they were typed: too much, as such searches do. */
  #isFound({ id, fields }: FakeRecord, phone: string): boolean {
    const digits = String(fields.phone ?? '').replace(/\D/g, '');
    return (this.visible?.has(id) ?? true) && digits.endsWith(phone.slice(-7));
  }

  #write(object: string, verb: string, { id, fields }: { id?: string; fields: Fields }): unknown {
    const all = this.records[object] ?? [];
    const refuse = (code: string, field?: string, more: object = {}) => ({
      error: { code, field, message: `${field} cannot be "${field && fields[field]}"`, ...more },
    });
    const unknown = Object.keys(fields).find((name) => !this.fields[object]?.has(name));
    if (unknown) return refuse('UNKNOWN_FIELD', unknown);
    if (fields.happened_at && Number.isNaN(Date.parse(String(fields.happened_at))))
      return refuse('INVALID_VALUE', 'happened_at');
    if (fields.result && !RESULTS.includes(String(fields.result))) return refuse('INVALID_VALUE', 'result');
    const { person_id } = fields;
    if (person_id != null && !this.records.people?.some((person) => person.id === person_id))
      return refuse('NOT_FOUND', 'person_id');
    const holder = all.find((one) => one.id !== id && one.fields.wrapup_key === fields.wrapup_key);
    if (fields.wrapup_key !== undefined && holder) return refuse('DUPLICATE', 'wrapup_key', { holder: holder.id });
    if (verb === 'create') return { id: this.add(object, fields) };
    const record = all.find((one) => one.id === id);
    if (!record) return refuse('NOT_FOUND');
    Object.assign(record.fields, fields);
    return { id };
  }
}
