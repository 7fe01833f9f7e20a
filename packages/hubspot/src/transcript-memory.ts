/** What is known of the transcript of a call log: begun, and from then on in doubt until its id is known. */
import { createHash } from 'node:crypto';
import type { Context } from '@wrapup/destination';
import { digest } from '@wrapup/destination/delivery';
import type { RecordPlan } from '@wrapup/mapping';

export interface KnownTranscript {
  /** Id of the call log that it stands beside: what is known of one that is gone says nothing of its successor. */
  call: string;
  /** Of what is in it, to tell whether another one is wanted now. Absent: not known. */
  hash?: string;
  /** Absent: it was begun, and whether HubSpot has it is open. */
  id?: string;
}

/** Ms that it is remembered: as long as the ledger knows the call. */
const KEPT = 90 * 24 * 3_600_000;
const keyOf = ({ key }: RecordPlan) => `transcript:${digest(key)}`;

export async function recallTranscript(ctx: Context, record: RecordPlan): Promise<KnownTranscript | undefined> {
  const kept = await ctx.memory.get(keyOf(record));
  return kept === undefined ? undefined : (JSON.parse(kept) as KnownTranscript);
}

export async function rememberTranscript(ctx: Context, record: RecordPlan, known: KnownTranscript): Promise<void> {
  await ctx.memory.set(keyOf(record), JSON.stringify(known), KEPT);
}

export async function forgetTranscript(ctx: Context, record: RecordPlan): Promise<void> {
  await ctx.memory.delete(keyOf(record));
}

export function transcriptLease({ key }: RecordPlan): string {
  return `transcript:${digest(key)}`;
}

export function hashOf({ transcript }: RecordPlan): string {
  return createHash('sha256')
    .update(
      JSON.stringify(
        transcript?.utterances.map(({ speaker, name, text, start, end }) => [speaker, name, text, start, end]),
      ),
    )
    .digest('hex')
    .slice(0, 16);
}

/** Ms after which an account that refused a transcript for want of a scope is tried again. */
const REFUSED = 10 * 60_000;

export async function recallRefusal(ctx: Context): Promise<string | undefined> {
  return ctx.memory.get('transcripts-refused');
}

export async function rememberRefusal(ctx: Context, why: string): Promise<void> {
  await ctx.memory.set('transcripts-refused', why, REFUSED);
}
