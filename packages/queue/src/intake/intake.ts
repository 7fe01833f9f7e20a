import type { Log } from '@wrapup/destination';
import { type ClientKeys, makeEncryptor } from '../encryption/encryptor.ts';
import { IndexKey } from '../encryption/index-key.ts';
import { Marks } from '../encryption/marks.ts';
import { PackedEntries } from '../packed/packed-entries.ts';
import { revisionOf } from '../payloads/payloads.ts';
import { Queues } from '../queues/queues.ts';
import { checkRedis } from '../redis/check.ts';
import { checkInstallation, checkInstallationAtStart } from '../redis/check-installation.ts';
import { openRedis, waitForRedis } from '../redis/client.ts';
import { makeKeys } from '../redis/keys.ts';
import { MemoryWatch } from '../redis/memory-watch.ts';
import { ClientFiles, type FileInForce } from '../store/client-files.ts';
import { type ClientState, ClientStateNotes } from '../store/client-states.ts';
import {
  type Accepted,
  type Arrival,
  acceptArrivals,
  CHECK_FROM_BYTES,
  checkArrival,
  type LedgerDays,
  type Tried,
  untilUnpacked,
} from './accept.ts';
import { WriteBatcher } from './write-batcher.ts';

/**
 * The producer's side of Redis, as ingress uses it. It fails fast: every promise settles within a second, also while
 * Redis is down, hung or restarting, and works again when Redis is back.
 */
export interface Intake {
  /** As `checkInstallationAtStart`; what does not fit once Redis answers makes `accept` reject. @throws InstallationError */
  checkAtStart(log: Pick<Log, 'warn'>): Promise<void>;
  /**
   * Keeps the bytes, then adds the job, and resolves only when Redis has both.
   * `duplicate`: the same id with the same bytes was accepted before. Rejects when Redis cannot take it.
   */
  accept(arrival: Arrival): Promise<Accepted>;
  /** Part of Redis' memory in use as far as known, from 0 to 1. */
  readonly memory: number;
  /**
   * Notes for the other processes, and for the next start, which clients ingress cannot use as their files are, and what
   * it has in force. Rejects while Redis is away.
   */
  noteClients(clients: readonly ClientState[], files: ReadonlyMap<string, FileInForce>): Promise<void>;
  /** Whether Redis can take a call now, and what is wrong with its settings (eviction policy, AOF, memory). */
  ready(): Promise<{ ok: boolean; problems: string[] }>;
  close(): Promise<void>;
}

interface IntakeOptions {
  url: string;
  /** `REDIS_CA`. */
  ca?: string;
  /** `WRAPUP_PREFIX`. */
  prefix?: string;
  /** `WRAPUP_ENCRYPTION_KEY`. */
  encryption_keys?: string;
  /** The keys of clients that have their own. Default: none has. */
  client_keys?: ClientKeys | undefined;
  /** `WRAPUP_INDEX_KEY`. */
  index_key?: string;
  /** Default: 90 for all. */
  ledgerDays?: LedgerDays;
  /** Called with the ms that Redis took to confirm a command that keeps calls. */
  onWrite?(ms: number): void;
  onError(error: Error): void;
}

/** Calls that are kept by one command: few enough that Redis answers within some milliseconds. */
const BATCH = { max_items: 64, max_bytes: 1024 * 1024, max_wait_ms: 20 };

/** How long a process that starts waits for Redis before it starts without. */
const CONNECTED_MS = 1_000;

export function openIntake({
  prefix,
  encryption_keys,
  client_keys,
  index_key,
  ledgerDays = () => 90,
  onWrite,
  onError,
  ...address
}: IntakeOptions): Intake {
  const redis = openRedis(address, 'producer', onError);
  const keys = makeKeys(prefix);
  const marks = new Marks(redis, keys);
  const encryptor = makeEncryptor(encryption_keys, {
    encryptedSince: () => marks.at('encrypted'),
    clientKeys: client_keys,
  });
  const indexKey = new IndexKey(redis, keys, encryptor, index_key);
  const memory = new MemoryWatch(redis, keys);
  const queues = new Queues(redis, keys, onError);
  const packed = new PackedEntries(redis, keys);
  const parts = { redis, keys, queueOf: (source: string) => queues.calls(source), encryptor, packed };
  const batcher = new WriteBatcher<Arrival, Tried>({
    ...BATCH,
    sizeOf: ({ body }) => body.length,
    run: async (arrivals) => {
      const began = performance.now();
      const tried = await acceptArrivals(parts, arrivals, ledgerDays);
      onWrite?.(performance.now() - began);
      return tried;
    },
  });
  const notes = new ClientStateNotes(redis, keys);
  const files = new ClientFiles({ redis, keys, encryptor, indexKey });
  const installation = { redis, keys, encryptor, indexKey, marks };
  let checked: Promise<unknown> | undefined;
  return {
    async checkAtStart(log) {
      await waitForRedis(redis, CONNECTED_MS).catch(() => {});
      await checkInstallationAtStart(installation, log);
    },
    async accept(given) {
      // Nothing is kept that the other processes could not read or find; once they fit, this asks Redis no more.
      checked ??= checkInstallation(installation);
      await checked.catch((error) => {
        checked = undefined;
        throw error;
      });
      const arrival = { ...given, revision: given.revision ?? revisionOf(given.body) };
      // Before it claims memory: what is kept already takes none.
      const settled =
        arrival.body.length >= CHECK_FROM_BYTES
          ? await untilUnpacked(parts, arrival, () => checkArrival(parts, arrival, ledgerDays))
          : undefined;
      if (settled) return settled;
      await memory.claim(arrival.body.length);
      return untilUnpacked(parts, arrival, () => batcher.add(arrival));
    },
    async noteClients(clients, inForce) {
      await notes.note(clients);
      await files.settle(
        inForce,
        clients.map(({ name }) => name),
      );
    },
    get memory() {
      return memory.ratio;
    },
    async ready() {
      const { ok, problems } = await checkRedis(redis, keys);
      if (!ok) return { ok, problems };
      const refused = await checkInstallation(installation).catch((error: Error) => error);
      return refused instanceof Error ? { ok: false, problems: [...problems, refused.message] } : { ok, problems };
    },
    async close() {
      await queues.close();
      redis.disconnect();
    },
  };
}
