/**
 * How often each field of a mapping was filled, and each path that it names was there: sums by route and day, under
 * `{wrapup}:omissions:<connection>:fields:<route>:<day since epoch>`. They tell how a mapping fares, so they need not be exact:
 * a process adds up what its deliveries count and writes the sums every two seconds, as one command for each route. To add
 * each counter of each delivery took Redis a third of what the delivery itself takes. What a process that dies has not
 * written is not counted.
 *
 * In the same way it is counted how calls are judged: by agent, criterion and hour (`stats/judgements.ts`).
 */
import { type Analysis, clientOf } from '@wrapup/call';
import { defineScript, type RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { DAY_MS, HOUR_MS, msOfDays } from '../redis/spans.ts';
import { type JudgedCall, judgementsKey, judgementsOf } from '../stats/judgements.ts';
import { sumHashes } from './omissions.ts';

/** Counters of one route and day, or one hour of judgements: mappings have some tens of fields, but callers' systems name variables. */
const MAX_COUNTERS = 1_000;
/** What is counted tells how a mapping fares now. */
const KEPT_MS = 14 * DAY_MS;
const FLUSH_MS = 2_000;

/**
 * Adds sums to counters. Names beyond the limit are not begun; those of agents are added to the agent `other` of their source,
 * of whom there are as many names as there are criteria. KEYS counters. ARGV ms kept, 1 where names are of agents, then name and
 * sum in turn.
 */
const addCounters = defineScript<null>(
  'wrapupAddCounters',
  `
local size = redis.call('HLEN', KEYS[1])
for i = 3, #ARGV, 2 do
  local name = ARGV[i]
  local isKnown = redis.call('HEXISTS', KEYS[1], name) == 1
  if not isKnown and size >= ${MAX_COUNTERS} and ARGV[2] == '1' then
    name = string.gsub(name, '^([^|]*)|[^|]*|', '%1|other|', 1)
    isKnown = true
  end
  if isKnown or size < ${MAX_COUNTERS} then
    redis.call('HINCRBY', KEYS[1], name, ARGV[i + 1])
    if not isKnown then size = size + 1 end
  end
end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
`,
);

interface CountedRoute {
  /** Full name. */
  connection: string;
  route: string;
}

export class FieldCounters {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #onError: (error: Error) => void;
  /** Sums that are not written yet, by the name of their route's counters. */
  #pending = new Map<string, Map<string, number>>();
  /** The same of judgements, by the key of their hour, with the ms that it is kept. */
  #judged = new Map<string, { kept: number; sums: Map<string, number> }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisClient, keys: Keys, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#keys = keys;
    this.#onError = onError;
  }

  /** Adds one to each counter of a delivery that was written or skipped. @param names as `countersOf` gives them */
  add({ connection, route }: CountedRoute, names: readonly string[]): void {
    if (names.length === 0) return;
    const base = `${connection}:fields:${route}`;
    const sums = this.#pending.get(base) ?? new Map<string, number>();
    this.#pending.set(base, sums);
    this.#increase(sums, names);
  }

  /** Adds one to each criterion by which a call was judged. @param days `retention.ledger` */
  addJudgements(call: JudgedCall, analysis: Analysis, days: number): void {
    const names = judgementsOf(call, analysis);
    if (names.length === 0) return;
    const key = judgementsKey(this.#keys, clientOf(call.source), Math.floor(call.ended_at / HOUR_MS));
    const { sums } = this.#judged.get(key) ?? { sums: new Map<string, number>() };
    this.#judged.set(key, { kept: msOfDays(days), sums });
    this.#increase(sums, names);
  }

  #increase(sums: Map<string, number>, names: readonly string[]): void {
    for (const name of names) sums.set(name, (sums.get(name) ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  /** Writes what has been added up. Never rejects: what Redis does not take is not counted. */
  async flush(now = Date.now()): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [pending, judged] = [this.#pending, this.#judged];
    this.#pending = new Map();
    this.#judged = new Map();
    const day = Math.floor(now / DAY_MS);
    const write = async ([base, sums]: [string, Map<string, number>]) => {
      const key = `${this.#keys.omissions}${base}:${day}`;
      await addCounters(this.#redis, [key], [KEPT_MS, 0, ...[...sums].flat()]);
    };
    const writeJudged = ([key, { kept, sums }]: [string, { kept: number; sums: Map<string, number> }]) =>
      addCounters(this.#redis, [key], [kept, 1, ...[...sums].flat()]);
    await Promise.all([...[...pending].map(write), ...[...judged].map(writeJudged)]).catch(this.#onError);
  }

  /** Sums of the counters of a route, over the last days. @param days 14 at most */
  async sums(
    { connection, route }: CountedRoute,
    { days = KEPT_MS / DAY_MS, now = Date.now() }: { days?: number; now?: number } = {},
  ): Promise<Map<string, number>> {
    const today = Math.floor(now / DAY_MS);
    const keys = Array.from(
      { length: days },
      (_, ago) => `${this.#keys.omissions}${connection}:fields:${route}:${today - ago}`,
    );
    return sumHashes(this.#redis, keys);
  }
}
