/** What is remembered of people outside the CRM: short cuts while its search lags, and facts that it has no field for. */
import { createHash } from 'node:crypto';
import { personKey as uniqueKey } from '@wrapup/call';
import type { MatchStep } from '@wrapup/mapping';
import { type Context, type Held, WRITTEN_NOTES } from '../../port/context.ts';
import type { Subject } from '../../port/destination.ts';
import { Failure } from '../../port/failure.ts';

/** A CRM's search finds a new person only after a while: the id is remembered for so long, in ms. */
const REMEMBERED_MS = 15 * 60_000;
/** How long a person counts as perhaps being created already, in ms. */
const STARTED_MS = 15 * 60_000;
/** A watermark that the account has no property for is kept so long, in ms. */
const WATERMARK_MS = 90 * 24 * 3_600_000;

/** Numbers and addresses never stand in keys as they are. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function personKey(step: MatchStep): string {
  return `person:${step.by}:${digest(step.value.toLowerCase())}`;
}

/** Who was written of late, and names of the fields that had a value then: names alone, no value is remembered. */
interface RememberedPerson {
  id: string;
  set: ReadonlySet<string>;
}

/** Under which names it is remembered whom these steps mean. */
export function personMemoryNames(steps: readonly MatchStep[]): string[] {
  return steps.filter(({ by, said }) => by !== 'id' && !said).map(personKey);
}

/** Which person a given number or address was written to of late. What was only said is never remembered. */
export async function recallPerson(ctx: Context, step: MatchStep): Promise<RememberedPerson | undefined> {
  const kept = step.by === 'id' || step.said ? undefined : await ctx.memory.get(personKey(step));
  if (kept === undefined) return undefined;
  const [id = '', ...set] = kept.split(' ');
  return { id, set: new Set(set) };
}

/** @param set names of fields that have a value. One that has none any more is not filled while it is remembered so. */
export async function rememberPerson(
  ctx: Context,
  steps: MatchStep[],
  id: string,
  set: Iterable<string> = [],
): Promise<void> {
  const value = [id, ...set].join(' ');
  await Promise.all([...new Set(personMemoryNames(steps))].map((key) => ctx.memory.set(key, value, REMEMBERED_MS)));
}

export async function forgetPerson(ctx: Context, step: MatchStep): Promise<void> {
  if (step.by !== 'id') await ctx.memory.delete(personKey(step));
}

/**
 * Marks a person as about to be created. A delivery that finds the mark and not the person reads by key before creating.
 * @param key the person's unique key, a hash already
 */
export async function markStarted(ctx: Context, key: string): Promise<void> {
  await ctx.memory.set(`person-started:${key}`, String(Date.now()), STARTED_MS);
}

/** Epoch ms when a creation of the person last began; undefined when none did recently. */
export async function startedAt(ctx: Context, key: string): Promise<number | undefined> {
  const mark = await ctx.memory.get(`person-started:${key}`);
  return mark === undefined ? undefined : Number(mark) || 0;
}

const watermarkKey = (id: string) => `${WRITTEN_NOTES.watermark}${id}`;

/** When the last call ended that was written to a person, while the account has no property for it. */
export function recallWatermark(ctx: Context, id: string): Promise<string | undefined> {
  return ctx.memory.get(watermarkKey(id));
}

export async function rememberWatermark(ctx: Context, id: string, endedAt: string): Promise<void> {
  await ctx.memory.set(watermarkKey(id), endedAt, WATERMARK_MS);
}

/** Under which names this file may have something of a person: see `DestinationKind.remembers`. */
export function personMemories({ phones, emails, calls, records }: Subject): string[] {
  const started = [...phones.map((phone) => uniqueKey({ phone })), ...emails.map((email) => uniqueKey({ email }))];
  return [
    ...phones.map((value) => personKey({ by: 'phone', value })),
    ...emails.map((value) => personKey({ by: 'email', value })),
    ...started.flatMap((key) => (key ? [`person-started:${key}`] : [])),
    ...records.map(({ id }) => watermarkKey(id)),
    ...phones.map(issuedKey),
    ...calls.flatMap((call) => [madeKey(call), formerKey(call)]),
  ];
}

const writeLease = (step: MatchStep) => `write:${personKey(step)}`;

/** Leases to hold while a person is looked up and written to: on the numbers and addresses that are given. */
export function writeLeases(steps: readonly MatchStep[]): string[] {
  return steps.filter(({ by, said }) => by !== 'id' && !said).map(writeLease);
}

/** Those to hold beside them while a person is created: on the key, which may be made of what was said, and on whatever else was said. */
export function creationLeases(key: string, steps: readonly MatchStep[]): string[] {
  const said = steps.filter((step) => step.by !== 'id' && step.said);
  return [...new Set([key, ...said.map(writeLease)])];
}

/** How long an id that our inbound look-up gave counts for the number that it was given for, in ms: as long as payloads are kept. */
const ISSUED_MS = 7 * 24 * 3_600_000;

/** People of one number that count at the same time: an account may have changed whom it belongs to. */
const MAX_ISSUED = 5;

/** Of the number alone, so that it is found when the person is forgotten. */
function issuedKey(phone: string): string {
  return `issued:${digest(phone)}`;
}

async function recallIssued(ctx: Pick<Context, 'memory'>, phone: string): Promise<string[]> {
  const kept = await ctx.memory.get(issuedKey(phone));
  return kept === undefined ? [] : (JSON.parse(kept) as string[]);
}

/** Notes that a ringing call was answered with this person. @param phone E.164 */
export async function rememberIssued(ctx: Pick<Context, 'memory'>, phone: string, id: string): Promise<void> {
  const others = (await recallIssued(ctx, phone)).filter((other) => other !== id);
  await ctx.memory.set(issuedKey(phone), JSON.stringify([id, ...others].slice(0, MAX_ISSUED)), ISSUED_MS);
}

/** Whether a ringing call from this number was answered with this person. @param phone E.164 */
export async function wasIssued(ctx: Pick<Context, 'memory'>, phone: string, id: string): Promise<boolean> {
  return (await recallIssued(ctx, phone)).includes(id);
}

const madeKey = (call: string) => `made:${digest(call)}`;

/** Notes whom this very call created by what was only said. @param call key of the call log */
export async function rememberMade(ctx: Context, call: string, id: string): Promise<void> {
  await ctx.memory.set(madeKey(call), id, 'ledger');
}

/** Whom this very call created by what was only said. */
export function recallMade(ctx: Context, call: string): Promise<string | undefined> {
  return ctx.memory.get(madeKey(call));
}

/** Whom a call's records were linked to is known for so long, in ms: until a delivery that finds another person has succeeded. */
const FORMER_MS = 7 * 24 * 3_600_000;

const formerKey = (call: string) => `former-person:${digest(call)}`;

/** Notes whom a call's records are linked to, where the next attempt may find another person. @param call key of the call log */
export async function rememberFormer(ctx: Context, call: string, id: string): Promise<void> {
  await ctx.memory.set(formerKey(call), id, FORMER_MS);
}

/** Whom a call's records were linked to before. */
export function recallFormer(ctx: Context, call: string): Promise<string | undefined> {
  return ctx.memory.get(formerKey(call));
}

/** A delivery that found a person has succeeded: whatever links its records to another one from now on is not ours. */
export async function forgetFormer(ctx: Context, call: string): Promise<void> {
  await ctx.memory.delete(formerKey(call));
}

/* Leases on people and records while they are written: a delivery that finds one taken waits. */

/**
 * How long a lease outlives its holder, in ms: no longer than the lock of the holder's job, so that the next worker that
 * gets the job need not wait for it once more. It is renewed while it is held.
 */
const LEASE_MS = 10_000;
/** After so long what another delivery is writing is tried again. */
const BUSY_MS = 1000;

/**
 * Takes leases, item by item. Never rejects.
 * @param namesOf names of the leases that an item needs, all or none
 */
export async function leaseEach<Leased>(
  ctx: Context,
  items: Leased[],
  namesOf: (item: Leased) => string[],
): Promise<{ held: Leased[]; failed: Map<Leased, Failure>; release(): Promise<void> }> {
  const leases = new Map<Leased, Held>();
  const failed = new Map<Leased, Failure>();
  const take = async (item: Leased) => {
    try {
      const lease = await ctx.lease.take(namesOf(item), LEASE_MS);
      if (lease) leases.set(item, lease);
      else failed.set(item, busy());
    } catch (thrown) {
      failed.set(item, Failure.of(thrown));
    }
  };
  // All at once: one after the other, a hundred people are a hundred round trips to Redis.
  await Promise.all(items.map(take));
  const release = async () => {
    // A lease that cannot be given back expires by itself.
    await Promise.all([...leases.values()].map((lease) => lease.release().catch(() => {})));
  };
  return { held: items.filter((item) => leases.has(item)), failed, release };
}

/** Another delivery is at the same person or record at this moment. */
export function busy(): Failure {
  return new Failure('busy', 'Another delivery is writing the same person or record at this moment.', {
    retry_after: BUSY_MS,
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
