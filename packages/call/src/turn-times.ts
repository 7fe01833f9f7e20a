/**
 * When each turn of a call was said. Some platforms tell it, most tell only who said what and how long the call was.
 *
 *   exact      every turn carries its own start; an end that is missing is the next turn's start, the last one's the end of
 *              the call
 *   estimated  turns that carry a start keep it; those between are spread over the time between, each as long as its share
 *              of the letters. Pauses, ringing and the pace of speech are not known, so a time is right to within seconds
 */
import type { Turn } from './model.ts';

export const TURN_TIMES = ['exact', 'estimated'] as const;
export type TurnTimes = (typeof TURN_TIMES)[number];

/** Seconds from the start of the call; `end` is after `start`. */
export interface TimedTurn extends Turn {
  start: number;
  end: number;
}

/** The shortest time that a turn takes, in seconds. */
const SHORTEST = 0.001;

/**
 * Turns with their times, in the order in which they were said; silent ones left out.
 * @param duration of the call, in seconds
 * @returns why it cannot be told, when it cannot
 */
export function timeTurns(turns: Turn[], duration: number | undefined, times: TurnTimes): TimedTurn[] | string {
  const said = turns.filter(({ text }) => text.trim() !== '');
  if (said.length === 0) return 'nobody said anything, as far as the call tells';
  const starts = startsOf(said);
  if (times === 'exact') {
    const untold = starts.filter((start) => start === undefined).length;
    if (untold > 0) return `the source does not tell when ${untold} of ${said.length} turns were said`;
  }
  const end = said.at(-1)?.end ?? duration;
  const last = starts.at(-1) ?? 0;
  if (end === undefined || !(end > last)) return 'the call does not tell how long it was';
  return withTimes(said, fillIn(said, starts, end));
}

/** Starts that turns carry, where they are in order; none of them is believed when they are not. */
function startsOf(turns: Turn[]): (number | undefined)[] {
  const starts = turns.map(({ start }) =>
    start !== undefined && Number.isFinite(start) && start >= 0 ? start : undefined,
  );
  const told = starts.filter((start) => start !== undefined);
  return told.every((start, index) => index === 0 || start >= (told[index - 1] as number))
    ? starts
    : turns.map(() => undefined);
}

/** A start for every turn, and the end of the last. */
function fillIn(turns: Turn[], starts: (number | undefined)[], end: number): number[] {
  const known = [starts[0] ?? 0, ...starts.slice(1), end];
  const filled: number[] = [];
  for (let from = 0; from < turns.length; ) {
    let to = from + 1;
    while (known[to] === undefined) to += 1;
    const [begins, ends] = [known[from] as number, known[to] as number];
    const letters = turns.slice(from, to).map(({ text }) => text.trim().length);
    const all = letters.reduce((sum, count) => sum + count, 0);
    let before = 0;
    for (const count of letters) {
      filled.push(begins + ((ends - begins) * before) / all);
      before += count;
    }
    from = to;
  }
  return [...filled, end];
}

function withTimes(turns: Turn[], bounds: number[]): TimedTurn[] {
  return turns.map((turn, index) => {
    const start = bounds[index] as number;
    const told = turn.end !== undefined && turn.end > start ? turn.end : undefined;
    return { ...turn, start, end: Math.max(told ?? (bounds[index + 1] as number), start + SHORTEST) };
  });
}
