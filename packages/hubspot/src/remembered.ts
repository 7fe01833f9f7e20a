import { createHash } from 'node:crypto';
import type { Context } from '@wrapup/destination';
import type { MatchStep } from '@wrapup/mapping';

/** HubSpot's search finds a new contact only after a while: its id is remembered for so long, in ms. */
const REMEMBERED = 15 * 60_000;
/** How long a person counts as perhaps being created already, in ms. */
const STARTED = 15 * 60_000;
/** A watermark that the account has no property for is kept so long, in ms. */
const WATERMARK_KEPT = 90 * 24 * 3_600_000;

/** Numbers and addresses never stand in keys as they are. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function personKey(step: MatchStep): string {
  return `person-id:${step.by}:${digest(step.value.toLowerCase())}`;
}

/** Which contact a number or an address was written to of late. */
export function recallPerson(ctx: Context, step: MatchStep): Promise<string | undefined> {
  return step.by === 'id' ? Promise.resolve(undefined) : ctx.memory.get(personKey(step));
}

export async function rememberPerson(ctx: Context, steps: MatchStep[], id: string): Promise<void> {
  for (const step of steps) if (step.by !== 'id') await ctx.memory.set(personKey(step), id, REMEMBERED);
}

export async function forgetPerson(ctx: Context, step: MatchStep): Promise<void> {
  if (step.by !== 'id') await ctx.memory.delete(personKey(step));
}

/**
 * Marks a person as about to be created. Whoever finds the mark and not the person reads by key before creating.
 * @param key the person's unique key, a hash already
 */
export async function markStarted(ctx: Context, key: string): Promise<void> {
  await ctx.memory.set(`person-started:${key}`, String(Date.now()), STARTED);
}

/** Epoch ms when somebody last began to create the person; undefined when nobody did of late. */
export async function startedAt(ctx: Context, key: string): Promise<number | undefined> {
  const mark = await ctx.memory.get(`person-started:${key}`);
  return mark === undefined ? undefined : Number(mark) || 0;
}

/** The company of a domain, for as long as search may not show it. */
export function recallCompany(ctx: Context, domain: string): Promise<string | undefined> {
  return ctx.memory.get(`company-id:${digest(domain)}`);
}

export async function rememberCompany(ctx: Context, domain: string, id: string): Promise<void> {
  await ctx.memory.set(`company-id:${digest(domain)}`, id, REMEMBERED);
}

export async function forgetCompany(ctx: Context, domain: string): Promise<void> {
  await ctx.memory.delete(`company-id:${digest(domain)}`);
}

/** A record without a unique key is known by this for so long, in ms: as long as the ledger knows it. */
const RECORD_KEPT = 90 * 24 * 3_600_000;

type Keyed = { object: string; key: string };
const recordKey = ({ object, key }: Keyed) => `${object}:${digest(key)}`;

export function recallRecord(ctx: Context, record: Keyed): Promise<string | undefined> {
  return ctx.memory.get(`record-id:${recordKey(record)}`);
}

export async function rememberRecord(ctx: Context, record: Keyed, id: string): Promise<void> {
  await ctx.memory.set(`record-id:${recordKey(record)}`, id, RECORD_KEPT);
}

export async function forgetRecord(ctx: Context, record: Keyed): Promise<void> {
  await ctx.memory.delete(`record-id:${recordKey(record)}`);
}

/** Marks a record without a unique key as about to be created. Whoever finds the mark and no id looks for the record first. */
export async function markRecordStarted(ctx: Context, record: Keyed): Promise<void> {
  await ctx.memory.set(`record-started:${recordKey(record)}`, '1', RECORD_KEPT);
}

export async function wasRecordStarted(ctx: Context, record: Keyed): Promise<boolean> {
  return (await ctx.memory.get(`record-started:${recordKey(record)}`)) !== undefined;
}

export function recordLease(object: string, key: string): string {
  return `record:${recordKey({ object, key })}`;
}

/** When the last call ended that was written to a contact, while the account has no property for it. */
export function recallWatermark(ctx: Context, id: string): Promise<string | undefined> {
  return ctx.memory.get(`watermark:${id}`);
}

export async function rememberWatermark(ctx: Context, id: string, endedAt: string): Promise<void> {
  await ctx.memory.set(`watermark:${id}`, endedAt, WATERMARK_KEPT);
}

/** Whom a call's records were linked to before a replay found somebody else: kept until the replay has come through, in ms. */
const FORMER_KEPT = 7 * 24 * 3_600_000;

export async function rememberFormer(ctx: Context, call: string, person: string): Promise<void> {
  await ctx.memory.set(`former-person:${digest(call)}`, person, FORMER_KEPT);
}

export function recallFormer(ctx: Context, call: string): Promise<string | undefined> {
  return ctx.memory.get(`former-person:${digest(call)}`);
}

/** Leases to hold while a person is created: on its key, and on every number and address that may mean it. */
export function personLeases(key: string, steps: MatchStep[]): string[] {
  return [...new Set([key, ...steps.map(personKey)])];
}
