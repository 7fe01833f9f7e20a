import { hash } from 'node:crypto';
import type { Omission } from '@wrapup/destination';
import type { RedisClient } from '../redis/client.ts';
import { type Keys, splitMember } from '../redis/keys.ts';
import { DAY_MS, HOUR_MS } from '../redis/spans.ts';
import { HOURS_KEPT_MS, MAX_LINE_CALLS, SLOT_MS } from './omissions-index.ts';

/** Which delivery lacks a field. */
export interface OmittedCall {
  route: string;
  source: string;
  call_id: string;
}

/** A field of a mapping that was left out of calls, for one reason. */
export interface OmissionLine extends Omission {
  /** Ten hex digits, the same as long as connection, file, field and code are. */
  id: string;
  connection: string;
  /** Calls that lost it in the time that was asked for. */
  calls: number;
  /**
   * Calls that lack it still, kept as long as the ledger: the payload of some may have expired. `more`: there were more than
   * are kept.
   */
  open: number;
  more: boolean;
  /** Epoch ms of the last one. */
  last: number;
  /** The last three that lack it still, newest first. */
  latest: OmittedCall[];
}

/** Deliveries of a connection in the last sixty minutes, and those of them that lost a field. */
export interface OmissionShare {
  calls: number;
  lost: number;
  /** Ids of the lines that they lost in this hour and the one before. */
  lines: string[];
}

/** An alert that was sent about what a connection loses. */
export interface OmissionAlert {
  /** Epoch ms. */
  at: number;
  /** Ids of the lines that it was about. */
  lines: string[];
}

interface OmissionFilter {
  connections: readonly string[];
  /** Epoch ms. Up to two days back it is counted by the hour, before that by the day (UTC). Default: a week. */
  since?: number;
  /** Epoch ms: what was lost until then, as far as hours and days tell it apart. Default: now. */
  until?: number;
  now?: number;
}

/** Epoch ms. */
interface OmissionSpan {
  from: number;
  until: number;
  now: number;
}

/** How often it is counted together at once. */
const CHUNK = 200;
/** What is lost for longer than this is alerted about anew. */
const ALERT_KEPT_MS = 7 * DAY_MS;
const DEFAULT_SINCE_MS = 7 * DAY_MS;

/** @param connection full name */
export function omissionId(connection: string, { at, record, field = '', code }: Omission): string {
  return hash('sha1', [connection, at.file, record, field, code].join('\n')).slice(0, 10);
}

/** Reads what `omissions-index.ts` counts. */
export class Omissions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Lines of these connections that lost something since then, those of the most calls first. */
  async list({ connections, since, until, now = Date.now() }: OmissionFilter): Promise<OmissionLine[]> {
    const from = since ?? now - DEFAULT_SINCE_MS;
    const lines = await Promise.all(
      connections.map((connection) => this.#linesOf(connection, { from, until: Math.min(until ?? now, now), now })),
    );
    return lines.flat().sort((a, b) => b.calls - a.calls || b.last - a.last || a.id.localeCompare(b.id));
  }

  /** One line, whatever the time; undefined where there is none in these connections. */
  async find(id: string, connections: readonly string[]): Promise<OmissionLine | undefined> {
    const pipeline = this.#redis.pipeline();
    for (const connection of connections) pipeline.zscore(this.#key(connection, 'lines'), id);
    const answers = (await pipeline.exec()) ?? [];
    const connection = connections.find((_, index) => typeof answers[index]?.[1] === 'string');
    if (connection === undefined) return undefined;
    return (await this.#linesOf(connection, { from: 0, until: Date.now(), now: Date.now() })).find(
      (line) => line.id === id,
    );
  }

  /**
   * Deliveries that lack what a line stands for, newest first, a thousand at most.
   * @param since epoch ms at which they were written, at the earliest @param until and before which
   */
  async calls(
    { connection, id }: Pick<OmissionLine, 'connection' | 'id'>,
    since = 0,
    until?: number,
  ): Promise<OmittedCall[]> {
    const key = this.#key(connection, `calls:${id}`);
    const found = await this.#redis.zrevrangebyscore(
      key,
      until === undefined ? '+inf' : `(${until}`,
      since,
      'LIMIT',
      0,
      MAX_LINE_CALLS,
    );
    return found.map(toCall);
  }

  /** How much was lost of a connection in the last sixty minutes, counted by parts of ten. */
  async share(connection: string, now = Date.now()): Promise<OmissionShare> {
    const hour = Math.floor(now / HOUR_MS);
    const slot = Math.floor(now / SLOT_MS) % (HOUR_MS / SLOT_MS);
    const [before, current] = await Promise.all(
      [hour - 1, hour].map((one) => this.#redis.hgetall(this.#key(connection, `hour:${one}`))),
    );
    const share: OmissionShare = { calls: 0, lost: 0, lines: [] };
    const count = (counts: Record<string, string> = {}, isMeant: (part: number) => boolean) => {
      for (const [name, value] of Object.entries(counts)) {
        const [kind, part] = name.split(':');
        if (part === undefined) share.lines.push(name);
        else if (isMeant(Number(part))) share[kind as 'calls' | 'lost'] += Number(value);
      }
    };
    count(before, (part) => part > slot);
    count(current, (part) => part <= slot);
    return { ...share, lines: [...new Set(share.lines)].sort() };
  }

  /** What the last alert about a connection was about; undefined where there was none, or it is over. */
  async readAlerted(connection: string): Promise<OmissionAlert | undefined> {
    const json = await this.#redis.get(this.#key(connection, 'alerted'));
    return json ? (JSON.parse(json) as OmissionAlert) : undefined;
  }

  /** Notes that it was alerted about, or that it is over. */
  async noteAlerted(connection: string, alert: OmissionAlert | undefined): Promise<void> {
    const key = this.#key(connection, 'alerted');
    if (alert) await this.#redis.set(key, JSON.stringify(alert), 'PX', ALERT_KEPT_MS);
    else await this.#redis.del(key);
  }

  async #linesOf(connection: string, span: OmissionSpan): Promise<OmissionLine[]> {
    const scored = await this.#redis.zrevrangebyscore(this.#key(connection, 'lines'), '+inf', span.from, 'WITHSCORES');
    if (scored.length === 0) return [];
    const counts = await sumHashes(this.#redis, this.#buckets(connection, span));
    const lines: OmissionLine[] = [];
    for (let start = 0; start < scored.length; start += 2 * CHUNK) {
      const chunk = scored.slice(start, start + 2 * CHUNK);
      const ids = chunk.filter((_, index) => index % 2 === 0);
      const pipeline = this.#redis.pipeline();
      for (const id of ids) {
        pipeline.hmget(this.#key(connection, `line:${id}`), 'note', 'more');
        pipeline.zcard(this.#key(connection, `calls:${id}`));
        pipeline.zrevrange(this.#key(connection, `calls:${id}`), 0, 2);
      }
      const answers = (await pipeline.exec()) ?? [];
      for (const [index, id] of ids.entries()) {
        const [line, open, latest] = [0, 1, 2].map((part) => {
          const [error, value] = answers[3 * index + part] ?? [new Error('Redis did not answer for every line')];
          if (error) throw error;
          return value;
        }) as [(string | null)[], number, string[]];
        // What a line is made of ends a moment before the list forgets it.
        if (!line[0]) continue;
        const [last, calls] = [Number(chunk[2 * index + 1]), counts.get(id) ?? 0];
        const note = JSON.parse(line[0]) as Omission;
        lines.push({ ...note, id, connection, calls, open, more: line[1] === '1', last, latest: latest.map(toCall) });
      }
    }
    return lines;
  }

  /** Names of the hours or days that cover a time. */
  #buckets(connection: string, { from, until, now }: OmissionSpan): string[] {
    const [unit, name] = now - from <= HOURS_KEPT_MS - HOUR_MS ? [HOUR_MS, 'hour'] : [DAY_MS, 'day'];
    const [last, first] = [Math.ceil(until / unit) - 1, Math.floor(from / unit)];
    // No ledger is kept for longer than ten years; what is older is not there.
    const names = Array.from(
      { length: Math.max(0, Math.min(last - first + 1, 3651)) },
      (_, ago) => `${name}:${last - ago}`,
    );
    return names.map((one) => this.#key(connection, one));
  }

  #key(connection: string, name: string): string {
    return `${this.#keys.omissions}${connection}:${name}`;
  }
}

function toCall(member: string): OmittedCall {
  const colon = member.indexOf(':');
  return { route: member.slice(0, colon), ...splitMember(member.slice(colon + 1)) };
}

/** Hashes of counts, added up by the names of counters. @throws what Redis answers for one of them */
export async function sumHashes(redis: RedisClient, keys: readonly string[]): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (let start = 0; start < keys.length; start += CHUNK) {
    const pipeline = redis.pipeline();
    for (const key of keys.slice(start, start + CHUNK)) pipeline.hgetall(key);
    for (const [error, counts] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      for (const [name, value] of Object.entries(counts as Record<string, string>))
        sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
  }
  return sums;
}
