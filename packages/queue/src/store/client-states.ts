/**
 * How ingress finds the files of clients, for the processes that show it and alert about it: they lack what only ingress
 * reads, so that a webhook secret that is missing is no error to them. Each note ends by itself unless it is made again.
 */
import type { Finding } from '@wrapup/findings';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import type { Store } from './store.ts';

/** How the file of a client stands in one process. */
export interface ClientState {
  name: string;
  state: 'current' | 'last_good' | 'unusable';
  /** Empty in state `current`. */
  errors: readonly Finding[];
}

/** Milliseconds between two notes of one process. */
export const NOTE_CLIENTS_EVERY_MS = 20_000;
/** Errors of one client that are noted. */
const MAX_ERRORS = 50;
/** A note lasts for so long. */
const KEPT_MS = 60_000;

/** The notes of one process. */
export class ClientStateNotes {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  #noted = new Set<string>();

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Notes the clients that are not current, and takes back what this process noted of the others. Rejects without Redis. */
  async note(clients: readonly ClientState[]): Promise<void> {
    const wrong = clients.filter(({ state }) => state !== 'current');
    const names = new Set(wrong.map(({ name }) => name));
    const right = [...this.#noted].filter((name) => !names.has(name));
    const commands = this.#redis.multi();
    for (const { name, state, errors } of wrong) {
      const text = JSON.stringify({ name, state, errors: errors.slice(0, MAX_ERRORS) });
      commands.set(this.#keys.clientState(name), text, 'PX', KEPT_MS);
    }
    for (const name of right) commands.del(this.#keys.clientState(name));
    if (wrong.length + right.length > 0) await commands.exec();
    this.#noted = names;
  }
}

/**
 * The clients, each as this process finds it or, where that is without an error, as ingress does: its errors say so then.
 */
export async function asIngressSees<C extends ClientState>(
  { redis, keys }: Pick<Store, 'redis' | 'keys'>,
  clients: readonly C[],
): Promise<C[]> {
  if (clients.length === 0) return [];
  const notes = await redis.mget(clients.map(({ name }) => keys.clientState(name)));
  return clients.map((client, index) => {
    const text = notes[index];
    if (!text || client.state !== 'current') return client;
    const { state, errors } = JSON.parse(text) as ClientState;
    return { ...client, state, errors: errors.map((one) => ({ ...one, message: `ingress: ${one.message}` })) };
  });
}
