/**
 * The ledger: per call, when and how it came, how it was verified, its revisions, and per route what became of it.
 * It leads: a call's routes are written here before their deliveries are queued, an outcome before its job completes.
 * It holds no personal data.
 */
import type { ReceiptNote, RecordReceipt } from '@wrapup/destination';

export type Received = 'webhook' | 'reconciled' | 'backfill';

/** What proves that the voice platform sent it: its signature, a re-read from its API, or nothing (`trust: none`, or a path token alone). */
export type Verified = 'signature' | 'api' | 'none';

/** Revisions that are kept of one call, at most. What Synthflow's API itself says of the call is not counted. */
export const MAX_REVISIONS = 8;
/** Bytes that the revisions of one call may take together, as they are stored. */
export const MAX_REVISION_BYTES = 32 * 1024 * 1024;

export interface Revision {
  /** sha256 of the raw bytes, hex. */
  hash: string;
  /** Epoch ms of its arrival; of the API's answer where that is later and confirmed it. */
  at: number;
  /** Orders revisions of the same millisecond; absent in the first one and in entries of earlier versions. */
  nth?: number;
  /**
   * `applied` replaces what came before, `added` fills in what was absent, `equal` says nothing new, `parked` waits for
   * a person, `hint` was not believed and only made us read the call from the API (`trust: api`), `unrecognised` has no
   * shape that this version knows; absent until the worker has seen it.
   */
  effect?: 'applied' | 'added' | 'equal' | 'parked' | 'hint' | 'unrecognised';
  /** What proves these very bytes; absent in entries of earlier versions. */
  verified?: Verified;
  /** Bytes of the payload, and as it is stored now (compressed, encrypted); absent in entries of earlier versions. */
  bytes?: number;
  stored?: number;
  /** Id of the dictionary of its source that the payload was compressed with; absent where that is none, or the one of all. */
  dictionary?: string;
  /** Keyed digest of what it says once normalised: recognises a repeat when the payload is gone. */
  digest?: string;
  /** Hash of the revision that Synthflow's API gave when it was asked to confirm this one. */
  confirmed_by?: string;
}

/**
 * `queued` on its way · `written` · `skipped` a policy of the mapping said so · `parked` waits for a person ·
 * `dead` the system gave up · `dropped` a person gave up, with a reason.
 */
export type DeliveryState = 'queued' | 'written' | 'skipped' | 'parked' | 'dead' | 'dropped';

export interface DeliveryEntry {
  route: string;
  connection: string;
  state: DeliveryState;
  /** Epoch ms of the last change of state. */
  since: number;
  /** Attempts begun. */
  attempts: number;
  /** Counts replays: part of the job id, so that a replay is never taken for a duplicate. */
  replays: number;
  /** Hash of the revision being delivered. */
  revision: string;
  /** Hash of the one in whose place a parked revision stands, where that was not written yet: a drop sends it on its way. */
  displaced?: string;
  /** Hash of the mapping that the last attempt used. */
  mapping?: string;
  records: RecordReceipt[];
  /** Ids of records that an unfinished attempt is known to have written, by record name. */
  done?: Record<string, string>;
  /** Requests spent on it, over all attempts. */
  requests: number;
  /** What the call came to, as the mapping's named value `result` says: one of a closed set, or `other`. Absent where it has none. */
  result?: string;
  /** What the receipt says beside its records; entries of earlier versions have words only. */
  notes: ReceiptNote[];
  /** Why it stopped or waits: code of the failure, its message (scrubbed), what to do. Stays when it is dropped. */
  code?: string;
  reason?: string;
  hint?: string;
  correlation_id?: string;
  /** Of the last attempt whose trace is kept, 32 hex digits; absent while tracing is off. */
  trace_id?: string;
  /** Ids of the records that the caller could be, where that is why it waits, and their links by id. */
  candidates?: string[];
  candidate_urls?: Record<string, string>;
  /** What they have in common, as a keyed digest: what a choice for later calls is kept under. Absent where it was only said. */
  ambiguous?: { by: 'email' | 'phone'; digest: string };
  /** Which of them an operator chose for this call, whatever comes of it later. */
  chosen?: OperatorChoice;
  /** The last replay that an operator asked for; absent before the first, and in entries of earlier versions. */
  replayed?: ReplayNote;
  /** Set in state `dropped`; absent in entries of earlier versions, where the reason was that of the drop. */
  dropped?: DropNote;
}

/** A delivery whose attempt has begun. */
export interface BegunDelivery extends DeliveryEntry {
  /** Whether operators have chosen people for later calls of its connection. */
  has_choices: boolean;
}

/** Whom an operator chose among several, who did, and when. */
export interface OperatorChoice {
  /** Id of the person's record. */
  person: string;
  /** The operator's name, where it is known. */
  by?: string;
  /** Epoch ms. */
  at: number;
}

/** Who asked for a replay, and when. */
export interface ReplayNote {
  /** Epoch ms. */
  at: number;
  /** The operator's name. */
  by: string;
}

/** Who gave a delivery or a call up, when, and why. */
export interface DropNote {
  /** Epoch ms. */
  at: number;
  /** The operator's name, where it is known. */
  by?: string;
  reason: string;
}

/** What the ids begin with that are made here, for bodies that have none of their own. */
export const SYNTHETIC_ID = 'unrecognised-';

/** What the worker read from a payload that the ledger may hold: no personal data. */
export interface CallFacts {
  outcome?: string;
  status?: string;
  direction?: string;
  agent_id?: string;
  /** Epoch ms. */
  ended_at?: number;
  /** Seconds. */
  duration?: number;
  /** Of the normaliser. */
  notes: string[];
}

/** Facts are absent, and notes empty, until the worker has read the call. */
export interface LedgerEntry extends CallFacts {
  source: string;
  call_id: string;
  received: Received;
  /** Epoch ms. */
  received_at: number;
  verified: Verified;
  revisions: Revision[];
  /** True once the routes have been chosen, also when none matched. */
  routed: boolean;
  deliveries: DeliveryEntry[];
  /**
   * Set when the call never got as far as its routes: the payload could not be read, its source is unknown. `parked`
   * waits for a person, `dropped` was given up by one; without a state the system gave up. A body of no known shape stops
   * a call that has deliveries, too: they go on.
   */
  stopped?: {
    at: number;
    code: string;
    reason: string;
    hint?: string;
    state?: 'parked' | 'dead' | 'dropped';
    dropped?: DropNote;
  };
  /** Its people are in the index (`people-index.ts`). */
  indexed?: true;
  /** Epoch ms: what named its people was removed on request, and nothing of it is taken in again. */
  forgotten?: number;
  /** Name of the operator who had it forgotten, where it is known. */
  forgotten_by?: string;
  /** Set while the call waits, by itself, for something that its routes need. */
  waiting?: {
    since: number;
    code: string;
    reason: string;
    hint?: string;
    /** Times that its source's API was asked about it since then. */
    reads?: number;
  };
  /** Set when revisions came beyond the limits of one call: how many were not kept, and when the first one came. */
  ignored?: {
    count: number;
    /** Epoch ms. */
    since: number;
    /** Whether a worker has done what is to be done about it. */
    handled: boolean;
  };
}

/** A revision of a call. */
export interface RevisionRef {
  source: string;
  call_id: string;
  revision: string;
}

/** Which delivery a job stands for. A job whose revision or replay count is no longer the ledger's is out of date. */
export interface DeliveryRef extends RevisionRef {
  route: string;
  replays: number;
}

/** What changes in a delivery; null removes a key. `requests` is added to what was spent before. */
export type DeliveryChange = {
  [K in Exclude<keyof DeliveryEntry, 'route' | 'revision' | 'replays' | 'since' | 'attempts'>]?:
    | DeliveryEntry[K]
    | null;
};

/** Why a call may be parked that what its platform says of it now would help on. */
const HELPLESS: ReadonlySet<string> = new Set(['unverified', 'unrecognised', 'unconfirmed', 'too_complex']);

/** @param stopped of a call, as its entry keeps it */
export function isHelpless(stopped: string | null | undefined): boolean {
  if (!stopped) return false;
  const { state, code } = JSON.parse(stopped) as NonNullable<LedgerEntry['stopped']>;
  return state === 'parked' && HELPLESS.has(code);
}

/** Lua writes an empty array as an empty object. Where it is counted is the scripts' own. */
export function repairDelivery<Delivery extends DeliveryEntry>(delivery: Delivery): Delivery {
  const { counted: _, ...known } = delivery as Delivery & { counted?: string };
  return {
    ...(known as unknown as Delivery),
    records: Array.isArray(delivery.records) ? delivery.records : [],
    notes: Array.isArray(delivery.notes) ? delivery.notes : [],
  };
}

function readIgnored(hash: Record<string, string>): NonNullable<LedgerEntry['ignored']> {
  return {
    count: Number(hash.ignored),
    since: Number(hash.ignored_at),
    handled: hash.ignored_handled === '1',
  };
}

/** An entry as Redis keeps it; undefined where there is none. */
export function parseEntry(hash: Record<string, string>): LedgerEntry | undefined {
  if (!hash.source || !hash.call_id) return undefined;
  const revisions: Revision[] = [];
  const deliveries: DeliveryEntry[] = [];
  for (const [field, value] of Object.entries(hash)) {
    if (field.startsWith('rev:')) revisions.push({ hash: field.slice(4), ...JSON.parse(value) });
    else if (field.startsWith('dlv:')) deliveries.push(repairDelivery(JSON.parse(value)));
  }
  return {
    source: hash.source,
    call_id: hash.call_id,
    received: hash.received as Received,
    received_at: Number(hash.received_at),
    verified: hash.verified as Verified,
    ...(hash.outcome ? { outcome: hash.outcome } : {}),
    ...(hash.status ? { status: hash.status } : {}),
    ...(hash.direction ? { direction: hash.direction } : {}),
    ...(hash.agent_id ? { agent_id: hash.agent_id } : {}),
    ...(hash.ended_at ? { ended_at: Number(hash.ended_at) } : {}),
    ...(hash.duration ? { duration: Number(hash.duration) } : {}),
    revisions: revisions.sort((a, b) => a.at - b.at || (a.nth ?? 0) - (b.nth ?? 0)),
    notes: hash.notes ? JSON.parse(hash.notes) : [],
    routed: hash.routed === '1',
    deliveries,
    ...(hash.stopped ? { stopped: JSON.parse(hash.stopped) } : {}),
    ...(hash.waiting ? { waiting: JSON.parse(hash.waiting) } : {}),
    ...(hash.people === undefined ? {} : { indexed: true }),
    ...(hash.forgotten ? { forgotten: Number(hash.forgotten) } : {}),
    ...(hash.forgotten_by ? { forgotten_by: hash.forgotten_by } : {}),
    ...(hash.ignored ? { ignored: readIgnored(hash) } : {}),
  };
}
