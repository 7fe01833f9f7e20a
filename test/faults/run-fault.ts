import { setTimeout as pause } from 'node:timers/promises';
import { makeRandom } from '../support/random.ts';
import { checkRun, type Verdict, waitUntilSettled } from './check.ts';
import type { JournalCheck, JournalFigures } from './journal.ts';
import type { Fault } from './kinds/scene.ts';
import type { FaultSystem } from './system.ts';
import { type Progress, placeCalls, planCalls, seedPeople, sendCalls } from './workload.ts';

export interface Run extends Verdict {
  /** What of the journal the model was asked about. Absent in runs of before, where a replica took over, and where another release took part. */
  journal?: JournalFigures;
  fault: string;
  seed: number;
  seconds: number;
  /** Seconds from the last acknowledgement until nothing was on its way any more. Absent in runs that were made before it was measured. */
  settled?: number;
  /** ISO 8601. */
  date: string;
}

export interface RunOptions {
  seed: number;
  calls: number;
  /** Ms over which the calls come when nothing fails. Default 6000. */
  within?: number;
  /** Of this installation. */
  journal: JournalCheck;
}

/** Longer than the CRM's search takes to see a new record, which no caution could see before it. */
export const INDEXED = 3_000;
/**
 * Longer than a crashed job takes to come back, a sweep to find what a crash left, a paused connection to be tried, and the five
 * minutes that a call waits for what its webhook says and the voice platform's API does not.
 */
const SETTLES = 480_000;

/** Breaks something while calls come in, repairs it, waits until nothing is on its way any more, and looks. */
export async function runFault(
  system: FaultSystem,
  fault: Fault,
  { seed, calls, within = 6_000, journal }: RunOptions,
): Promise<Run> {
  const random = makeRandom(seed * 7919 + hashOf(fault.name));
  const name = fault.name.replaceAll(' ', '');
  const planned = planCalls(`${name}-${seed}`, seed, random, { calls, ...fault.workload });
  seedPeople(system, planned);
  if (system.setup.voice) placeCalls(system, planned);
  await pause(INDEXED);
  const progress: Progress = { share: 0 };
  let over = false;
  const until = async (share: number) => {
    while (progress.share < share && !over) await pause(20);
  };
  const began = performance.now();
  const acting = fault.act({ system, random: makeRandom(seed + 1), until });
  const sent = await sendCalls(system, planned, random, progress, within).finally(() => {
    over = true;
  });
  const last = performance.now();
  await acting;
  await system.heal();
  await fault.afterwards?.(system);
  const moving = await waitUntilSettled(system, sent, SETTLES);
  const settled = (performance.now() - last) / 1000;
  const verdict = await checkRun(system, sent, moving);
  // Scripts of another release take other steps, as a lease of its own before the attempt begins.
  const said = fault.needsRelease ? undefined : journal.check(sent);
  verdict.broken.push(...(said?.refused ?? []));
  const date = new Date().toISOString().slice(0, 10);
  return {
    fault: fault.name,
    seed,
    seconds: (performance.now() - began) / 1000,
    settled,
    date,
    ...verdict,
    ...(said && { journal: said.figures }),
  };
}

function hashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return hash;
}
