/**
 * Tokens of a connection as the workers have them: in Redis, so that a command uses the access token in force and the
 * refresh token that the CRM gave last, and renews for all. Redis is asked when a destination first wants a token: those
 * with a static one never do. Without Redis the command uses tokens of its own, and says what that may cost.
 *
 * A preview of a call that was written also wants what the workers noted of it.
 */
import { type Memory, makeMemoryCommons, type Secret, type Secrets } from '@wrapup/destination';
import type { Store } from '@wrapup/queue';
import { CliError } from '../terminal/exit.ts';
import { openReachableStore } from './store.ts';

export class SharedSecrets implements Secrets {
  readonly #connection: string;
  readonly #say: (line: string) => void;
  /** What the workers noted of what they wrote. */
  readonly notes: Pick<Memory, 'get' | 'digester'> = {
    get: async (key) => (await this.#openMemory()).get(key),
    digester: async () => (await this.#openMemory()).digester(),
  };
  #store: Promise<Store> | undefined;
  #opening: Promise<Secrets> | undefined;
  #shares = false;
  #encrypted = true;

  /** @param say called, once, when nothing is shared */
  constructor(connection: string, say: (line: string) => void) {
    this.#connection = connection;
    this.#say = say;
  }

  get encrypted(): boolean {
    return this.#encrypted;
  }

  async get(name: string, refresh: () => Promise<Secret>): Promise<string> {
    return (await this.#secrets()).get(name, refresh);
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#secrets()).read(name);
  }

  async keep(name: string, secret: Secret): Promise<void> {
    const secrets = await this.#secrets();
    if (!this.#shares)
      this.#say(
        `${this.#connection}: the CRM gave a new refresh token, which is lost without Redis. If the workers are refused from now on, connect the app again and put its new refresh_token into the connection.`,
      );
    return secrets.keep(name, secret);
  }

  async drop(name: string): Promise<void> {
    return (await this.#secrets()).drop(name);
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#store?.then((store) => store.close()).catch(() => {});
  }

  #secrets(): Promise<Secrets> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<Secrets> {
    let store: Store;
    try {
      store = await this.#openStore();
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.#say(
        `${this.#connection}: ${error.message}. Its tokens are not shared with the workers: this command renews one of its own from the refresh_token in wrapup.yaml, which fails if the CRM has replaced that since.`,
      );
      return makeMemoryCommons().secrets;
    }
    const { makeSecrets } = await import('@wrapup/queue');
    const secrets = makeSecrets(store, this.#connection);
    this.#shares = true;
    this.#encrypted = secrets.encrypted;
    return secrets;
  }

  async #openMemory(): Promise<Memory> {
    const [store, { RedisMemory }] = await Promise.all([this.#openStore(), import('@wrapup/queue')]);
    return new RedisMemory(store, this.#connection);
  }

  #openStore(): Promise<Store> {
    this.#store ??= openReachableStore();
    return this.#store;
  }
}
