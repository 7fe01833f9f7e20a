import type { ChainableCommander } from 'ioredis';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import {
  type AuditAction,
  type AuditEntry,
  type AuditedAction,
  type AuditedOperator,
  MAX_AUDIT_ENTRIES,
  writeAudit,
} from './audit-entry.ts';

export interface AuditFilter {
  client?: string | undefined;
  action?: AuditAction | undefined;
  /** Name of the operator. */
  by?: string | undefined;
  call_id?: string | undefined;
  /** Epoch ms. */
  since?: number | undefined;
  until?: number | undefined;
}

export interface AuditPage {
  /** Newest first. */
  entries: AuditEntry[];
  /** Id of the entry after which older ones follow; absent at the end. */
  next?: string;
}

/** Entries that are read at once. */
const STEP_SIZE = 1_000;
/** Ms after which a search stops with what it has. */
const SEARCH_MS = 2_000;

/** Reads and writes the record of what operators did (`audit-entry.ts`): a stream, kept as long as the ledger. */
export class Audit {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.audit;
  }

  /** Notes an action that is no script of its own. */
  async note(operator: AuditedOperator, what: AuditedAction): Promise<void> {
    const text = writeAudit(operator, what);
    if (text) await this.#redis.xadd(this.#key, 'MAXLEN', '~', MAX_AUDIT_ENTRIES, '*', 'entry', text);
  }

  /** The same in a transaction with the action. @param operator undefined: nothing is noted */
  noteIn(
    transaction: ChainableCommander,
    operator: AuditedOperator | undefined,
    what: AuditedAction,
  ): ChainableCommander {
    const text = writeAudit(operator, what);
    return text ? transaction.xadd(this.#key, 'MAXLEN', '~', MAX_AUDIT_ENTRIES, '*', 'entry', text) : transaction;
  }

  /**
   * @param options.after as `next` of an earlier page; what is none is ignored
   * @param options.limit entries at most; default 50. A search for few among many may stop with fewer, and says where it goes on
   */
  async page(
    filter: AuditFilter = {},
    { after, limit = 50 }: { after?: string | undefined; limit?: number } = {},
  ): Promise<AuditPage> {
    const entries: AuditEntry[] = [];
    const deadline = Date.now() + SEARCH_MS;
    const end = String(filter.since ?? '-');
    let start = after !== undefined && isAuditId(after) ? `(${after}` : String(filter.until ?? '+');
    for (;;) {
      const rows = await this.#redis.xrevrange(this.#key, start, end, 'COUNT', STEP_SIZE);
      for (const [id, fields] of rows) {
        const entry = readEntry(id, fields);
        start = `(${id}`;
        if (matches(entry, filter)) entries.push(entry);
        if (entries.length === limit) return { entries, ...(await this.#goesOn(start, end, id)) };
      }
      const last = rows.at(-1)?.[0];
      if (last === undefined || rows.length < STEP_SIZE) return { entries };
      if (Date.now() > deadline) return { entries, next: last };
    }
  }

  async #goesOn(start: string, end: string, id: string): Promise<{ next?: string }> {
    return (await this.#redis.xrevrange(this.#key, start, end, 'COUNT', 1)).length > 0 ? { next: id } : {};
  }

  /** All that match, oldest first, however many. */
  async *all(filter: AuditFilter = {}): AsyncGenerator<AuditEntry> {
    for (let start = String(filter.since ?? '-'); ; ) {
      const rows = await this.#redis.xrange(this.#key, start, String(filter.until ?? '+'), 'COUNT', STEP_SIZE);
      for (const [id, fields] of rows) {
        const entry = readEntry(id, fields);
        if (matches(entry, filter)) yield entry;
      }
      const last = rows.at(-1)?.[0];
      if (last === undefined || rows.length < STEP_SIZE) return;
      start = `(${last}`;
    }
  }

  /** Removes what is older than `before` (epoch ms). @returns how many */
  async trim(before: number): Promise<number> {
    return this.#redis.xtrim(this.#key, 'MINID', Math.max(0, before));
  }
}

/** Whether a text can be the id of an entry, after which a page begins. */
export function isAuditId(text: string): boolean {
  return /^\d{1,15}-\d{1,10}$/.test(text);
}

function readEntry(id: string, fields: string[]): AuditEntry {
  return {
    id,
    at: Number(id.slice(0, id.indexOf('-'))),
    ...(JSON.parse(fields[1] ?? '{}') as Omit<AuditEntry, 'id' | 'at'>),
  };
}

function matches(entry: AuditEntry, { client, action, by, call_id }: AuditFilter): boolean {
  return (
    (client === undefined || entry.client === client) &&
    (action === undefined || entry.action === action) &&
    (by === undefined || entry.by === by) &&
    (call_id === undefined || entry.call_id === call_id)
  );
}
