import { withDeadline } from '@wrapup/destination';
import { ApiTokens } from '../access/api-tokens.ts';
import { Audit } from '../audit/audit.ts';
import { Choices } from '../connections/choices.ts';
import { Connections } from '../connections/connections.ts';
import { DigestStates } from '../digests/digest-states.ts';
import { type ClientKeys, type Encryptor, makeEncryptor } from '../encryption/encryptor.ts';
import { IndexKey } from '../encryption/index-key.ts';
import { Marks } from '../encryption/marks.ts';
import { type Accepted, type Arrival, acceptArrival } from '../intake/accept.ts';
import { Ledger } from '../ledger/ledger.ts';
import { PeopleIndex } from '../ledger/people-index.ts';
import { Timings } from '../ledger/timings.ts';
import { FieldCounters } from '../omissions/field-counters.ts';
import { Omissions } from '../omissions/omissions.ts';
import { Dictionaries } from '../payloads/dictionaries.ts';
import { Payloads } from '../payloads/payloads.ts';
import { Operations } from '../queues/operations.ts';
import { Queues } from '../queues/queues.ts';
import { openRedis, type RedisClient, waitForRedis } from '../redis/client.ts';
import { type Keys, makeKeys } from '../redis/keys.ts';
import { Unresolved } from '../unresolved/unresolved.ts';

/** Ms that closing waits for what has been added up. */
const CLOSE_MS = 1_000;

interface StoreOptions {
  /** `REDIS_URL`. */
  url: string;
  /** `REDIS_CA`. */
  ca?: string;
  /** `WRAPUP_PREFIX`. */
  prefix?: string;
  /** `WRAPUP_ENCRYPTION_KEY`: what is kept of people and tokens is encrypted with the first, and opened with any. */
  encryption_keys?: string;
  /** The keys of clients that have their own. Default: none has. */
  client_keys?: ClientKeys | undefined;
  /** `WRAPUP_INDEX_KEY`: keys the digests of phone numbers, addresses and other values. */
  index_key?: string;
  /** `producer` fails fast while Redis does not answer (dashboard, CLI); `worker` waits. */
  role: 'producer' | 'worker';
  onError(error: Error): void;
}

/** Everything of one installation in Redis, over one connection. */
export interface Store {
  redis: RedisClient;
  keys: Keys;
  encryptor: Encryptor;
  /** Makes digests of what must not be in Redis as it is. */
  indexKey: IndexKey;
  marks: Marks;
  queues: Queues;
  ledger: Ledger;
  payloads: Payloads;
  /** What payloads are compressed with. */
  dictionaries: Dictionaries;
  people: PeopleIndex;
  operations: Operations;
  unresolved: Unresolved;
  /** When deliveries were taken and sent, and what was asked of the CRM. */
  timings: Timings;
  omissions: Omissions;
  /** How the lines of mappings fare. */
  counters: FieldCounters;
  /** Whom operators chose for numbers and addresses that several people have. */
  choices: Choices;
  connections: Connections;
  /** What became of digests. */
  digests: DigestStates;
  /** What operators did. */
  audit: Audit;
  /** Of the HTTP API. */
  tokens: ApiTokens;
  /** Keeps a call as ingress does, for reconciliation and backfills. @param ledger_days `retention.ledger` */
  accept(arrival: Arrival, ledger_days: number): Promise<Accepted>;
  /** Resolves when Redis answers; rejects after `within` ms (default 2000). Commands before that may fail. */
  connected(within?: number): Promise<void>;
  close(): Promise<void>;
}

export function openStore({
  prefix,
  encryption_keys,
  client_keys,
  index_key,
  role,
  onError,
  ...address
}: StoreOptions): Store {
  const redis = openRedis(address, role, onError);
  const keys = makeKeys(prefix);
  const marks = new Marks(redis, keys);
  const encryptor = makeEncryptor(encryption_keys, {
    encryptedSince: () => marks.at('encrypted'),
    clientKeys: client_keys,
  });
  const indexKey = new IndexKey(redis, keys, encryptor, index_key);
  const queues = new Queues(redis, keys, onError);
  const ledger = new Ledger(redis, keys);
  const dictionaries = new Dictionaries(redis, keys, encryptor);
  const payloads = new Payloads(redis, keys, encryptor, dictionaries);
  const choices = new Choices(redis, keys, indexKey);
  const audit = new Audit(redis, keys);
  const counters = new FieldCounters(redis, keys, onError);
  return {
    redis,
    keys,
    encryptor,
    indexKey,
    marks,
    queues,
    ledger,
    payloads,
    dictionaries,
    people: new PeopleIndex(redis, keys, indexKey, ledger.packed),
    operations: new Operations(queues, ledger, payloads, choices),
    unresolved: new Unresolved(redis, keys, ledger),
    timings: new Timings(redis, keys),
    omissions: new Omissions(redis, keys),
    counters,
    choices,
    connections: new Connections(redis, keys, queues),
    digests: new DigestStates(redis, keys),
    audit,
    tokens: new ApiTokens(redis, keys, audit),
    accept: (arrival, days) =>
      acceptArrival(
        { redis, keys, queueOf: (source) => queues.calls(source), encryptor, packed: ledger.packed },
        arrival,
        days,
      ),
    connected: (within = 2000) => waitForRedis(redis, within),
    async close() {
      // What is not counted within a moment is not worth waiting for: Redis may be away.
      await withDeadline(counters.flush(), CLOSE_MS, () => new Error('the counters were not written')).catch(() => {});
      await queues.close();
      redis.disconnect();
    },
  };
}
