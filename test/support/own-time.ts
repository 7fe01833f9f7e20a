/**
 * Time limits that a busy machine does not decide. The time in which this process was kept from running is taken off: by
 * others on the machine, and by what else it does. A timer that is due every few ms tells it by how late it comes; what hangs
 * makes no timer late. For work that waits in this process, as servers do that a test starts in itself.
 */

const TICK = 5;
/** Even a machine that is in everybody's way lets one of so many be in time. */
const TRIES = 3;
/** This long nothing that has a limit may take once, in ms of its own time. */
const HANGS = 5_000;

/** @returns ms that the work took, less those that its process was kept from running */
export async function ownTime(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let lost = 0;
  let due = begin + TICK;
  const tick = () => {
    const now = performance.now();
    lost += Math.max(0, now - due);
    due = now + TICK;
    timer = setTimeout(tick, TICK);
  };
  let timer = setTimeout(tick, TICK);
  try {
    await work();
  } finally {
    clearTimeout(timer);
  }
  const end = performance.now();
  return end - begin - lost - Math.max(0, end - due);
}

/**
 * Does something until it was done within `ms` once, three times at most. One that hangs is not tried again.
 * @throws Error with the times that it took
 */
export async function doWithin(ms: number, work: () => Promise<unknown>): Promise<void> {
  const took: number[] = [];
  while (took.length < TRIES) {
    const one = await ownTime(work);
    took.push(Math.round(one));
    if (one < ms) return;
    if (one > HANGS) break;
  }
  throw new Error(`not done within ${ms} ms: it took ${took.join(', ')} ms of its own time`);
}
