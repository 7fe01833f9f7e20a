/**
 * Makes a failing run simpler for as long as it breaks the same: events that need not happen are left out, and decisions are
 * replaced by the one with which nothing goes wrong, first many at once, then one by one.
 */
import { explore, type Run, type RunOptions } from './exploration.ts';
import { kindOf } from './stage/invariants.ts';
import type { Ground } from './stage/stage.ts';

/** Runs that shrinking may take. */
const MAX_RUNS = 150;

/** @returns the simplest run that was found, `run` itself where there is none */
export async function shrink(ground: Ground, options: RunOptions, run: Run): Promise<Run> {
  const kind = kindOf(run.violations[0] ?? '');
  let best = run;
  let without = new Set<number>();
  let decisions = [...run.decisions];
  let runs = 0;
  const attempt = async (fewer: number[], left: Set<number>): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const again = await explore(ground, { ...options, decisions: fewer, without: left });
    if (!again.violations.some((one) => kindOf(one) === kind)) return false;
    best = again;
    decisions = fewer.slice(0, again.decisions.length);
    without = left;
    return true;
  };
  const leaveOutEvents = async () => {
    for (let place = run.events - 1; place >= 0; place -= 1)
      if (!without.has(place)) await attempt(decisions, new Set([...without, place]));
  };
  await leaveOutEvents();
  for (let size = Math.ceil(decisions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < decisions.length; from += size) {
      if (decisions.slice(from, from + size).every((number) => number === 0)) continue;
      await attempt(
        decisions.map((number, place) => (place >= from && place < from + size ? 0 : number)),
        without,
      );
    }
  }
  await leaveOutEvents();
  return best;
}
