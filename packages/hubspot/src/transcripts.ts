/**
 * Transcripts of call logs that are written: at most one for each call, whatever is lost or repeated.
 *
 * The endpoint knows no key, so a lost answer must never be followed by a blind second try. What is known of a call's
 * transcript is remembered outside HubSpot, under a lease:
 *
 *   nothing, call new       nobody can have begun one: it is created
 *   nothing, call was there the call is read: it says the id of a transcript that it has; without one it is created
 *   begun                   an answer was lost, or its process died: the call is read, one attempt later. An id is ours;
 *                           without one it stays open whether there is a transcript, and none is written: a missing one is
 *                           a note in the receipt, a second one is two conversations on one call
 *   id, other content       a later revision: the old one is deleted, the new one created
 *   id                      nothing is to be done
 *
 * A transcript never fails a call for what HubSpot refuses of it: that is a note. What may pass is tried again.
 */
import type { Held } from '@wrapup/destination';
import { Failure } from '@wrapup/destination';
import { asObject, failJob, type Job, LEASED, transcriptName } from '@wrapup/destination/delivery';
import type { RecordPlan, TranscriptPlan } from '@wrapup/mapping';
import { asHubSpotFailure, type HubSpotFailure } from './errors.ts';
import { readMany } from './read-many.ts';
import type { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import { createTranscript, deleteTranscript, TRANSCRIPT_ID, TRANSCRIPTS, WRITE_SCOPE } from './transcript-api.ts';
import {
  forgetTranscript,
  hashOf,
  type KnownTranscript,
  recallRefusal,
  recallTranscript,
  rememberRefusal,
  rememberTranscript,
  transcriptLease,
} from './transcript-memory.ts';

interface Wanted {
  job: Job;
  record: RecordPlan;
  transcript: TranscriptPlan;
  /** Id of the call log. */
  call: string;
  /** Written in this very pass: nobody else can have seen it. */
  isNew: boolean;
  known: KnownTranscript | undefined;
}

/** Ms after which a transcript that somebody else is writing is tried again. */
const BUSY = 1000;
/** Attempts in which a call may be unknown to the calling extensions. */
const PATIENCE = 3;
/** How many are asked for at once; each call needs a request of its own. */
const AT_ONCE = 4;

/** Writes what the call logs of jobs that came through carry. Never rejects. */
export async function writeTranscripts(session: Session, settings: HubSpotSettings, jobs: Job[]): Promise<void> {
  const wanted = jobs.flatMap(wantedOf);
  if (wanted.length === 0) return;
  const leases: Held[] = [];
  try {
    const mine: Wanted[] = [];
    for (const one of wanted) {
      const held = await begin(session, one);
      if (!held) continue;
      leases.push(held);
      if (one.known?.id !== undefined && isSame(one)) settle(one, one.known.id, 'unchanged');
      else mine.push(one);
    }
    await readCalls(session, mine);
    const open = mine.filter(({ job, record }) => !job.outcome && !job.records.has(transcriptName(record)));
    const next = open.filter((one) => one.known === undefined || one.known.id !== undefined);
    for (const one of open) if (!next.includes(one)) note(one, DOUBT);
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let one = next.shift(); one; one = next.shift()) await write(session, settings, one);
      }),
    );
  } finally {
    for (const held of leases) await held.release().catch(() => {});
  }
}

const DOUBT =
  'whether HubSpot took it is not known: its answer was lost, and the call shows none yet. Look at the call in HubSpot; a second one would be worse than none.';

function wantedOf(job: Job): Wanted[] {
  if (job.outcome) return [];
  return job.plan.records.flatMap((record) => {
    const receipt = job.records.get(record.name);
    if (!record.transcript || !receipt) return [];
    const { transcript } = record;
    return [{ job, record, transcript, call: receipt.id, isNew: receipt.did === 'created', known: undefined }];
  });
}

/** Takes the lease and recalls what is known. @returns undefined when the job has ended, or nothing is to be done */
async function begin({ ctx }: Session, one: Wanted): Promise<Held | undefined> {
  const { job, record } = one;
  try {
    const held = await ctx.lease.take([transcriptLease(record)], LEASED);
    if (!held)
      throw new Failure('busy', 'Another delivery is writing the transcript of the same call.', {
        retry_after: BUSY,
        hint: 'Nothing to do: the delivery goes on by itself.',
      });
    const known = await recallTranscript(ctx, record);
    // The ledger knows the id even where the memory has expired.
    const id = one.isNew ? undefined : job.plan.resume?.records[transcriptName(record)];
    if (known?.call === one.call) one.known = known;
    else if (!known && id !== undefined) one.known = { call: one.call, id };
    return held;
  } catch (thrown) {
    failJob(job, asHubSpotFailure(thrown), record.name);
    return undefined;
  }
}

const isSame = ({ record, known }: Wanted) => known?.hash === undefined || known.hash === hashOf(record);

/** Asks calls that may have a transcript already for its id. */
async function readCalls(session: Session, mine: Wanted[]): Promise<void> {
  const asked = mine.filter(({ known, isNew }) => known?.id === undefined && !(known === undefined && isNew));
  const [first] = asked;
  if (!first) return;
  const plansOf = (id: string) => asked.filter(({ call }) => call === id).map(({ job }) => job.index);
  const ids = asked.map(({ call }) => call);
  const reading = await readMany(session, first.record.object, ids, [TRANSCRIPT_ID], plansOf);
  for (const one of asked) {
    const failure = reading.failed.get(one.call);
    const id = reading.found.get(one.call)?.properties[TRANSCRIPT_ID];
    if (failure) failJob(one.job, failure, one.record.name);
    else if (id) await found(session, one, id);
  }
}

/** The call has one: ours where we had begun one, else somebody's, which is left alone. */
async function found({ ctx }: Session, one: Wanted, id: string): Promise<void> {
  await rememberTranscript(ctx, one.record, { ...one.known, call: one.call, id }).catch(() => {});
  if (one.known && !isSame(one)) one.known = { ...one.known, id };
  else settle(one, id, one.known ? 'created' : 'unchanged');
}

async function write(session: Session, settings: HubSpotSettings, one: Wanted): Promise<void> {
  const { job, record, transcript, call } = one;
  const { ctx } = session;
  const plans = [job.index];
  let begun = false;
  try {
    const refusal = await recallRefusal(ctx);
    if (refusal !== undefined) return note(one, refusal);
    const former = one.known?.id;
    if (former !== undefined) await remove(session, settings, former, plans);
    await rememberTranscript(ctx, record, { call, hash: hashOf(record) });
    begun = true;
    const answer = await session.send(createTranscript(settings.api_version, call, transcript.utterances), plans);
    const { id } = asObject(answer.body);
    if (typeof id !== 'string' && typeof id !== 'number') return note(one, DOUBT);
    await rememberTranscript(ctx, record, { call, hash: hashOf(record), id: String(id) });
    settle(one, String(id), former === undefined ? 'created' : 'updated');
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    // Refused for certain: the next attempt may begin anew.
    if (begun && !failure.doubt) await forgetTranscript(ctx, record).catch(() => {});
    await end(session, one, failure);
  }
}

async function remove(session: Session, settings: HubSpotSettings, id: string, plans: number[]): Promise<void> {
  try {
    await session.send(deleteTranscript(settings.api_version, id), plans);
  } catch (thrown) {
    if (asHubSpotFailure(thrown).details.status !== 404) throw thrown;
  }
}

async function end({ ctx }: Session, one: Wanted, failure: HubSpotFailure): Promise<void> {
  if (failure.code === 'missing_scope') {
    const why = `transcripts need an OAuth app with the scope ${WRITE_SCOPE}. ${failure.message}`;
    await rememberRefusal(ctx, why).catch(() => {});
    return note(one, why);
  }
  const { message, details, next } = failure;
  // The calling extensions may not know a call yet that was written a moment ago.
  const unknown = details.status === 404;
  const attempts = one.job.plan.resume?.attempts ?? 0;
  const mayPass = unknown ? attempts < PATIENCE : next === 'retry' || next === 'throttle' || next === 'reauthenticate';
  if (!mayPass) return note(one, message);
  const { next: _park, ...rest } = details;
  failJob(one.job, unknown ? new Failure('unavailable', message, rest) : failure, one.record.name);
}

function settle({ job, record }: Wanted, id: string, did: 'created' | 'updated' | 'unchanged'): void {
  const name = transcriptName(record);
  job.records.set(name, { name, object: TRANSCRIPTS, id, did });
}

function note({ job, record }: Wanted, why: string): void {
  job.notes.push(`${record.name}: its transcript was left out: ${why}`);
}
