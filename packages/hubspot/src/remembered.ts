/** What is remembered of HubSpot's records besides people: companies, records without a unique key, who was linked before. */
import type { Context } from '@wrapup/destination';
import { digest } from '@wrapup/destination/delivery';

/** HubSpot's search finds a new company only after a while: its id is remembered for so long, in ms. */
const REMEMBERED = 15 * 60_000;

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

/** Whom a call's records were linked to before a replay found somebody else: kept until the replay has come through, in ms. */
const FORMER_KEPT = 7 * 24 * 3_600_000;

export async function rememberFormer(ctx: Context, call: string, person: string): Promise<void> {
  await ctx.memory.set(`former-person:${digest(call)}`, person, FORMER_KEPT);
}

export function recallFormer(ctx: Context, call: string): Promise<string | undefined> {
  return ctx.memory.get(`former-person:${digest(call)}`);
}
