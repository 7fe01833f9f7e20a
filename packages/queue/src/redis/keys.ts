import { hash } from 'node:crypto';
import { clientOf } from '@wrapup/call';

/** The names of everything of one installation, under one hash tag, so that one Lua script can reach all of it on a cluster. */
export interface Keys {
  /** BullMQ's prefix: `{wrapup}`. */
  prefix: string;
  /** Hash, one per call. */
  ledger(source: string, callId: string): string;
  /** Sorted set of `<source>:<call id>` by arrival: every call in the ledger that is not packed. */
  index: string;
  /** The same of the calls of one client. */
  clientIndex(client: string): string;
  /** Hash: what is known of the packed part of the ledger, whose other names begin so (`packed/scripts.ts`). */
  packed: string;
  /** Sorted set of the clients with calls in the ledger by their last webhook; time 0 where none came. */
  clients: string;
  /** Sorted set of sources by their last webhook. */
  webhooks: string;
  /** Sorted set of `<source>:<call id>` by time: calls with something still to be done. */
  open: string;
  /** Prefix of the keys of all ledger entries; source, colon and call id follow. */
  ledgers: string;
  /** Prefix of the keys of the index of parked and dead items (`unresolved/unresolved-index.ts`). */
  unresolved: string;
  /** Prefix of what was left out of calls; the connection follows (`omissions/omissions-index.ts`). */
  omissions: string;
  /** Prefix of the counts of calls and deliveries; client, colon and hour follow (`stats/hourly-counts.ts`). */
  counts: string;
  /** Prefix of when deliveries were queued, taken and sent; client, colon and hour follow (`ledger/timings.ts`). */
  timings: string;
  /** Hash: how far that index has been compared with the ledger. */
  unresolvedUpkeep: string;
  /** Hash by keyed digest of a number or address: whom an operator chose for it (`connections/choices.ts`). */
  choices(connection: string): string;
  /** Hash by connection that takes alerts, epoch ms: what had stopped by then has been alerted about. */
  alerted: string;
  /** Hash: since when each digest is known, and what became of its last one (`digests/digest-states.ts`). */
  digests: string;
  /** Hash: bulk runs by id. */
  bulkRuns: string;
  /** Hash by id: tokens of the HTTP API, and when each was used last (`access/api-tokens.ts`). */
  apiTokens: string;
  apiTokensUsed: string;
  /** Stream: what operators did (`audit/audit-entry.ts`). */
  audit: string;
  /** Sorted set of calls by arrival: those that name one person. @param digest as `ledger/people-index.ts` makes it */
  person(digest: string): string;
  /** Sorted set of `<revision>:<source>:<call id>` by arrival: revisions that no worker has read. */
  unread: string;
  /** The bytes of one revision. */
  payload(source: string, callId: string, revision: string): string;
  /** What payloads of a source were compressed with (`payloads/dictionaries.ts`). */
  dictionary(source: string, id: string): string;
  /** Hash: which dictionary of each source is in force. */
  dictionaries: string;
  /** Set of the names of queues that may hold unfinished jobs (`queues/busy-queues.ts`). */
  busy: string;
  /** Sorted set of the names of queues that a job was added to and no worker has looked at since, by time. */
  bell: string;
  /** Set of the connections that have had a queue of deliveries. */
  connections: string;
  /** Sorted set of connections by the number of the last change of their state: the highest is the version of all. */
  connectionChanges: string;
  /** Hash: whether a connection is paused, by whom and why. */
  connection(connection: string): string;
  budget(connection: string, pool: string): string;
  /** Sorted set: our requests of the last window. */
  budgetLog(connection: string, pool: string): string;
  /** Hash: the account's daily quota. */
  daily(connection: string): string;
  /** List: what was left of it, minute by minute, newest first. */
  dailySamples(connection: string): string;
  /** Exists while a share of a connection's quota is kept for inbound calls. */
  budgetShare(connection: string): string;
  /** @param digest keyed digest of what the adapter calls it */
  memory(connection: string, digest: string): string;
  /** The name of the same in versions without an index key. */
  oldMemory(connection: string, key: string): string;
  lease(key: string): string;
  secret(connection: string, name: string): string;
  /** Hash: what holds for the installation as a whole: its index key, and which changes of its data are done. */
  installation: string;
  /** What the files of a client last said without an error. */
  clientFiles(client: string): string;
  /** Hash by client: the hash of these, and the key that encrypted them. */
  clientHashes: string;
  /** Hash by client, and of wrapup.yaml under no name: hash of the file that ingress has in force, and digest of its claims. */
  clientSettled: string;
  /** How ingress finds the file of a client that it cannot use as it is. */
  clientState(client: string): string;
  /** Hash: how far the calls of a source have been compared with the ledger, and the last run. */
  reconciled(source: string): string;
  /** What the last comparison of mappings and account found. */
  schemaCheck(connection: string): string;
  /** Exists while a signed-out session of the dashboard would otherwise still be valid. */
  endedSession(id: string): string;
  /** Hash: how far one backfill of a source has come. */
  backfilled(source: string, range: string): string;
}

/** @param name `WRAPUP_PREFIX`: separates installations that share a Redis */
export function makeKeys(name = 'wrapup'): Keys {
  const prefix = `{${name}}`;
  return {
    prefix,
    ledger: (source, callId) => `${prefix}:ledger:${source}:${callId}`,
    index: `${prefix}:ledger-index`,
    clientIndex: (client) => `${prefix}:ledger-index:${client}`,
    packed: `${prefix}:ledger-packed`,
    clients: `${prefix}:ledger-index-clients`,
    webhooks: `${prefix}:ledger-index-sources`,
    open: `${prefix}:ledger-open`,
    ledgers: `${prefix}:ledger:`,
    unresolved: `${prefix}:unresolved`,
    omissions: `${prefix}:omissions:`,
    counts: `${prefix}:counts:`,
    timings: `${prefix}:timings:`,
    unresolvedUpkeep: `${prefix}:unresolved-upkeep`,
    choices: (connection) => `${prefix}:choices:${connection}`,
    alerted: `${prefix}:alerted`,
    digests: `${prefix}:digests`,
    bulkRuns: `${prefix}:bulk-runs`,
    apiTokens: `${prefix}:api-tokens`,
    apiTokensUsed: `${prefix}:api-tokens-used`,
    audit: `${prefix}:audit`,
    person: (digest) => `${prefix}:person:${digest}`,
    unread: `${prefix}:unread`,
    payload: (source, callId, revision) => `${prefix}:payload:${source}:${callId}:${revision}`,
    dictionary: (source, id) => `${prefix}:dictionary:${source}:${id}`,
    dictionaries: `${prefix}:dictionaries`,
    busy: `${prefix}:busy`,
    bell: `${prefix}:bell`,
    connections: `${prefix}:connections`,
    connectionChanges: `${prefix}:connection-changes`,
    connection: (connection) => `${prefix}:connection:${connection}`,
    budget: (connection, pool) => `${prefix}:budget:${connection}:${pool}`,
    budgetLog: (connection, pool) => `${prefix}:budget-log:${connection}:${pool}`,
    daily: (connection) => `${prefix}:daily:${connection}`,
    dailySamples: (connection) => `${prefix}:daily-samples:${connection}`,
    budgetShare: (connection) => `${prefix}:budget-share:${connection}`,
    installation: `${prefix}:installation`,
    memory: (connection, digest) => `${prefix}:remembered:${connection}:${digest}`,
    oldMemory: (connection, key) => `${prefix}:memory:${connection}:${key}`,
    lease: (key) => `${prefix}:lease:${key}`,
    clientFiles: (client) => `${prefix}:client-files:${client}`,
    clientHashes: `${prefix}:client-hashes`,
    clientSettled: `${prefix}:client-settled`,
    clientState: (client) => `${prefix}:client-state:${client}`,
    reconciled: (source) => `${prefix}:reconciled:${source}`,
    schemaCheck: (connection) => `${prefix}:examination:${connection}`,
    endedSession: (id) => `${prefix}:ended-session:${id}`,
    backfilled: (source, range) => `${prefix}:backfilled:${source}:${range}`,
    secret: (connection, secret) => `${prefix}:secret:${connection}:${secret}`,
  };
}

/** Calls of the sources in wrapup.yaml itself. */
export const CALLS_QUEUE = 'calls';
const CLIENT_CALLS = `${CALLS_QUEUE}.`;
export const PARKED_QUEUE = 'parked';
export const DEAD_QUEUE = 'dead';
export const MAINTENANCE_QUEUE = 'maintenance';
/** One job for each source, made by a scheduler. */
export const RECONCILE_QUEUE = 'reconcile';
export const ALERTS_QUEUE = 'alerts';
/** One job for each digest that is due. */
export const DIGESTS_QUEUE = 'digests';
/** Comparisons of mappings with accounts. */
export const SCHEMA_CHECK_QUEUE = 'examine';
const DELIVERIES = 'deliveries.';

/** Name of the queue for the calls of a source: each client has one of its own, so that none waits for another's. */
export function callsQueue(source: string): string {
  const client = clientOf(source);
  return client === undefined ? CALLS_QUEUE : `${CLIENT_CALLS}${client}`;
}

/** Names of the queues for the calls of these sources, that of wrapup.yaml itself first. */
export function callsQueues(sources: Iterable<string>): string[] {
  return [...new Set([CALLS_QUEUE, ...[...sources].map(callsQueue)])];
}

/** Whether this is a queue for calls. */
export function isCallsQueue(queue: string): boolean {
  return queue === CALLS_QUEUE || queue.startsWith(CLIENT_CALLS);
}

/** The client that a queue of calls or deliveries belongs to; undefined for one of wrapup.yaml itself, and for any other. */
export function clientOfQueue(queue: string): string | undefined {
  if (queue.startsWith(CLIENT_CALLS)) return queue.slice(CLIENT_CALLS.length);
  return clientOf(connectionOf(queue) ?? '');
}

/** Name of a connection's queue. */
export function deliveriesQueue(connection: string): string {
  return `${DELIVERIES}${connection}`;
}

/** The connection whose queue this is; undefined for any other queue. */
export function connectionOf(queue: string): string | undefined {
  return queue.startsWith(DELIVERIES) ? queue.slice(DELIVERIES.length) : undefined;
}

/** `<source>:<call id>` as the sorted sets hold it, and back. Source names hold no colon; call ids may. */
export function memberOf(source: string, callId: string): string {
  return `${source}:${callId}`;
}
export function splitMember(member: string): { source: string; call_id: string } {
  const colon = member.indexOf(':');
  return { source: member.slice(0, colon), call_id: member.slice(colon + 1) };
}

/**
 * A job id made of foreign strings. Hashed and prefixed, because BullMQ keeps jobs beside its own keys: a raw id such as
 * `meta` would be swallowed without an error.
 */
export function jobId(kind: 'c' | 'd' | 'p' | 'x' | 'a' | 'g', ...parts: (string | number)[]): string {
  return `${kind}-${hash('sha256', JSON.stringify(parts), 'base64url')}`;
}
