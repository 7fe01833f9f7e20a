/**
 * What happened to calls and connections, read from Redis' own append-only file: it has each change that was made, in its
 * order, those of one script together, whatever process made it and died then. The ledger itself keeps the present only. States
 * are named as the model names them.
 */
import type { DeliveryEntry, Store } from '../../packages/queue/src/index.ts';
import { type CallState, NO_CALL } from './accept.ts';
import type { ConnectionState } from './accept-connection.ts';
import { connectionOf } from './installation.ts';

/** One command, its words as they stand in the file. */
type Command = Buffer[];

/**
 * What was done in one step each. A file that ends within a step ends with the step before it.
 * @throws Error for what is no append-only file
 */
export function* readSteps(file: Buffer): Generator<Command[]> {
  let at = 0;
  let step: Command[] | undefined;
  const line = (): string | undefined => {
    const end = file.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const text = file.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  while (at < file.length) {
    const head = line();
    if (head === undefined) return;
    if (head.startsWith('#')) continue;
    if (!head.startsWith('*')) throw new Error(`no command of an append-only file: ${head.slice(0, 40)}`);
    const command: Command = [];
    for (let words = Number(head.slice(1)); words > 0; words -= 1) {
      const size = Number(line()?.slice(1) ?? Number.NaN);
      if (Number.isNaN(size) || at + size + 2 > file.length) return;
      command.push(file.subarray(at, at + size));
      at += size + 2;
    }
    const name = String(command[0]).toUpperCase();
    if (name === 'MULTI') step = [];
    else if (name === 'EXEC') {
      yield step ?? [];
      step = undefined;
    } else if (step) step.push(command);
    else yield [command];
  }
}

export type Observed =
  | { of: 'call'; call: string; state: CallState }
  | { of: 'connection'; connection: string; state: ConnectionState };

interface KnownCall {
  ledger: Map<string, string>;
  payloads: Set<string>;
  open: boolean;
  listed: Set<string>;
  leases: Record<string, string>;
}

/** Follows the steps and says after each what it changed. */
export class JournalReader {
  readonly #keys: Store['keys'];
  readonly #source: string;
  readonly #calls = new Map<string, KnownCall>();
  readonly #connections = new Map<string, Record<string, string>>();

  constructor(keys: Store['keys'], source: string) {
    this.#keys = keys;
    this.#source = source;
  }

  *read(step: readonly Command[]): Generator<Observed> {
    const calls = new Set<string>();
    const connections = new Set<string>();
    for (const command of step) {
      const [name = '', key = '', ...words] = command.map(String);
      const lease = this.#leaseIn(key);
      // A lease that ran out is taken away by the very step that takes it anew.
      const known = lease && this.#calls.get(lease.call);
      if (
        lease &&
        known &&
        name.toUpperCase() === 'SET' &&
        known.leases[lease.route] === undefined &&
        calls.has(lease.call)
      )
        yield this.#stateOf(lease.call);
      const touched = this.#apply(name.toUpperCase(), key, words);
      if (touched.call !== undefined) calls.add(touched.call);
      if (touched.connection !== undefined) connections.add(touched.connection);
    }
    for (const call of calls) yield this.#stateOf(call);
    for (const connection of connections)
      yield { of: 'connection', connection, state: connectionOf(this.#connections.get(connection) ?? {}) };
  }

  #apply(name: string, key: string, words: string[]): { call?: string; connection?: string } {
    const { ledgers, open, unresolved, prefix } = this.#keys;
    const own = `${this.#source}:`;
    if (key.startsWith(`${ledgers}${own}`)) {
      const call = key.slice(ledgers.length + own.length);
      changeHash(this.#known(call).ledger, name, words);
      return { call };
    }
    if (key === open) {
      const member = name === 'ZADD' ? words.at(-1) : words[0];
      if (!member?.startsWith(own)) return {};
      const call = member.slice(own.length);
      this.#known(call).open = name === 'ZADD';
      return { call };
    }
    if (key.startsWith(`${unresolved}:`)) {
      const [state = '', partition = ''] = splitOnce(key.slice(unresolved.length + 1));
      const [source, route = ''] = partition.split('|');
      const call = name === 'ZADD' ? words.at(-1) : words[0];
      // The set of the partitions has no partition in its name.
      if (partition === '' || source !== this.#source || call === undefined) return {};
      this.#known(call).listed[name === 'ZADD' ? 'add' : 'delete'](`${route}/${state}`);
      return { call };
    }
    const payload = `${prefix}:payload:${own}`;
    if (key.startsWith(payload)) {
      const [call = '', revision = ''] = splitOnce(key.slice(payload.length));
      if (name === 'SET') this.#known(call).payloads.add(revision);
      else if (name === 'DEL' || name === 'UNLINK') this.#known(call).payloads.delete(revision);
      return { call };
    }
    const lease = this.#leaseIn(key);
    if (lease) {
      const { leases } = this.#known(lease.call);
      if (name === 'SET') leases[lease.route] = words[0] ?? '';
      else if (name === 'DEL' || name === 'UNLINK') delete leases[lease.route];
      return { call: lease.call };
    }
    const connection = `${prefix}:connection:`;
    if (key.startsWith(connection)) {
      const of = key.slice(connection.length);
      const fields = new Map(Object.entries(this.#connections.get(of) ?? {}));
      changeHash(fields, name, words);
      this.#connections.set(of, Object.fromEntries(fields));
      return { connection: of };
    }
    return {};
  }

  #leaseIn(key: string): { call: string; route: string } | undefined {
    const begin = this.#keys.lease(`delivery:${this.#source}:`);
    if (!key.startsWith(begin)) return undefined;
    const [call = '', route = ''] = splitOnce(key.slice(begin.length));
    return { call, route };
  }

  #known(call: string): KnownCall {
    const known = this.#calls.get(call);
    if (known) return known;
    const fresh = {
      ledger: new Map(),
      payloads: new Set<string>(),
      open: false,
      listed: new Set<string>(),
      leases: {},
    };
    this.#calls.set(call, fresh);
    return fresh;
  }

  #stateOf(call: string): Observed {
    const { ledger, payloads, open, listed, leases } = this.#known(call);
    const state: CallState = {
      ...NO_CALL,
      revisions: {},
      deliveries: {},
      open,
      listed: [...listed].sort(),
      leases: { ...leases },
    };
    for (const [field, text] of ledger) {
      if (field.startsWith('rev:')) {
        const { at, effect = '' } = JSON.parse(text) as { at: number; effect?: string };
        // Bytes that are gone are not kept. One that adds to others is applied as any other.
        if (payloads.has(field.slice(4)))
          state.revisions[field.slice(4)] = { at, effect: effect === 'added' ? 'applied' : effect };
      } else if (field.startsWith('dlv:')) {
        const delivery = JSON.parse(text) as DeliveryEntry & { revised?: number };
        const { state: now, revision, replays, attempts, revised = 0, displaced = '' } = delivery;
        state.deliveries[field.slice(4)] = { state: now, rev: revision, replays, attempts, revised, displaced };
      }
    }
    return { of: 'call', call, state };
  }
}

function changeHash(hash: Map<string, string>, name: string, words: string[]): void {
  if (name === 'HSET' || name === 'HMSET' || name === 'HSETNX')
    for (let n = 0; n + 1 < words.length; n += 2) hash.set(words[n] as string, words[n + 1] as string);
  else if (name === 'HDEL') for (const field of words) hash.delete(field);
  else if (name === 'HINCRBY')
    hash.set(words[0] as string, String(Number(hash.get(words[0] as string) ?? 0) + Number(words[1])));
  else if (name === 'DEL' || name === 'UNLINK') hash.clear();
}

/** Around the last colon but those of a call id, which has none here. */
function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
