/**
 * Whom operators chose where several people have one number or address, for all calls that come under it. Kept for each
 * connection, as record ids are its own, under a keyed digest of the number or address, until it is removed: by an
 * operator, or with the person who is forgotten.
 */
import { emailForm } from '@wrapup/call';
import { AUDIT_LUA, type AuditedOperator, writeAudit } from '../audit/audit-entry.ts';
import type { IndexKey } from '../encryption/index-key.ts';
import type { DeliveryEntry, OperatorChoice } from '../ledger/entry.ts';
import { defineScript, type RedisClient, scanKeys } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

type ChosenBy = NonNullable<DeliveryEntry['ambiguous']>['by'];

/** A choice for all calls of a number or address. */
export interface KeptChoice extends OperatorChoice {
  connection: string;
  /** Keyed digest of the number or address. */
  digest: string;
  of: ChosenBy;
  /** For a person to open, where it is known. */
  url?: string;
  /** The call that it was made for. */
  source: string;
  call_id: string;
}

/** One way to find a person. `said`: nothing but speech vouches for the value. */
interface MatchedBy {
  by: ChosenBy | 'id';
  value: string;
  said?: true;
}

/** As a plan takes it: `of` what it holds for beyond the call. */
interface ChosenPerson {
  id: string;
  of?: ChosenBy;
}

/** Characters of a digest that name a choice to a person. */
const NAMED = 10;

/** Takes a choice back. KEYS choices, audit. ARGV digest, entry of the audit or nothing. Answers 1, or 0 when there is none. */
const removeChoice = defineScript<number>(
  'wrapupRemoveChoice',
  `${AUDIT_LUA}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
noteAudit(KEYS[2], ARGV[2])
return 1
`,
);

export class Choices {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #indexKey: IndexKey;

  constructor(redis: RedisClient, keys: Keys, indexKey: IndexKey) {
    this.#redis = redis;
    this.#keys = keys;
    this.#indexKey = indexKey;
  }

  /** What a choice for a number (E.164) or an address is kept under. */
  async digestOf(of: ChosenBy, value: string): Promise<string> {
    return (await this.#indexKey.load())('choice', `${of}:${of === 'email' ? emailForm(value) : value.trim()}`);
  }

  /**
   * The plan of a delivery with the choices that hold for it: the one for its call, and those for its number and address.
   * What was only said chooses no one.
   */
  async applyTo<PlanLike extends { person: { match: readonly MatchedBy[] } | null }>(
    plan: PlanLike,
    { connection, chosen }: Pick<DeliveryEntry, 'connection' | 'chosen'>,
  ): Promise<PlanLike & { chosen?: ChosenPerson[] }> {
    const own = chosen ? [{ id: chosen.person }] : [];
    const all = [...own, ...(await this.lasting(connection, plan.person?.match ?? []))];
    return all.length > 0 ? { ...plan, chosen: all } : plan;
  }

  /** Who was chosen for numbers and addresses. @param steps by which a person is looked for */
  async lasting(connection: string, steps: readonly MatchedBy[]): Promise<ChosenPerson[]> {
    const given = steps.flatMap(({ by, value, said }) => (by === 'id' || said ? [] : [{ by, value }]));
    if (given.length === 0) return [];
    const digests = await Promise.all(given.map(({ by, value }) => this.digestOf(by, value)));
    const kept = await this.#redis.hmget(this.#keys.choices(connection), ...digests);
    return given.flatMap(({ by }, index) => {
      const text = kept[index];
      return text ? [{ id: (JSON.parse(text) as KeptChoice).person, of: by }] : [];
    });
  }

  /** Keeps a choice; one that was made before for the same number or address is replaced. */
  async keep({ connection, digest, ...choice }: KeptChoice): Promise<void> {
    await this.#redis.hset(this.#keys.choices(connection), digest, JSON.stringify(choice));
  }

  /** The choices for the connections that are wanted, the latest first. */
  async list(wanted: (connection: string) => boolean = () => true): Promise<KeptChoice[]> {
    const found: KeptChoice[] = [];
    const before = this.#keys.choices('');
    for await (const key of scanKeys(this.#redis, this.#keys.choices('*'))) {
      const connection = key.slice(before.length);
      if (!wanted(connection)) continue;
      for (const [digest, text] of Object.entries(await this.#redis.hgetall(key)))
        found.push({ ...(JSON.parse(text) as Omit<KeptChoice, 'connection' | 'digest'>), connection, digest });
    }
    return found.sort((a, b) => b.at - a.at);
  }

  /** @param by who takes it back @returns whether it was there */
  async remove(
    { connection, digest }: Pick<KeptChoice, 'connection' | 'digest'>,
    by?: AuditedOperator,
  ): Promise<boolean> {
    const target = nameOfChoice({ digest });
    const audit = writeAudit(by, { action: 'remove choice', connection, target });
    return (await removeChoice(this.#redis, [this.#keys.choices(connection), this.#keys.audit], [digest, audit])) === 1;
  }

  /**
   * Removes the choices for the numbers and addresses of a person, and those that chose one of the records.
   * @returns how many there were
   */
  async forget(
    connections: Iterable<string>,
    { phones, emails }: { phones: readonly string[]; emails: readonly string[] },
    records: readonly { connection: string; id: string }[],
  ): Promise<number> {
    const digests = await Promise.all([
      ...phones.map((phone) => this.digestOf('phone', phone)),
      ...emails.map((email) => this.digestOf('email', email)),
    ]);
    let removed = 0;
    for (const connection of connections) {
      const key = this.#keys.choices(connection);
      if (digests.length > 0) removed += await this.#redis.hdel(key, ...digests);
      const ids = new Set(records.flatMap((record) => (record.connection === connection ? [record.id] : [])));
      if (ids.size === 0) continue;
      for (const [digest, text] of Object.entries(await this.#redis.hgetall(key)))
        if (ids.has((JSON.parse(text) as KeptChoice).person)) removed += await this.#redis.hdel(key, digest);
    }
    return removed;
  }
}

/** How a choice is named to a person and by a person: the beginning of its digest. */
export function nameOfChoice({ digest }: Pick<KeptChoice, 'digest'>): string {
  return digest.slice(0, NAMED);
}
