/**
 * Time limits that a busy machine does not decide. The time in which this process was kept from running is taken off: by
 * others on the machine, and by what else it does. A timer that is due every few ms tells it by how late it comes; what hangs
 * makes no timer late. For work that waits in this process, as servers do that a test starts in itself.
 */

const TICK = 5;
/** How late a timer is by itself, in ms. */
const LATE = 1;

/** @returns ms that the work took, less those that its process was kept from running */
export async function ownTime(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let lost = 0;
  let due = begin + TICK;
  const tick = () => {
    const now = performance.now();
    lost += Math.max(0, now - due - LATE);
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
 * Does something once. Not several times until it was quick enough: what hangs at first is often given up by then.
 * @throws Error with the time that it took when that is `ms` or more
 */
export async function doWithin(ms: number, work: () => Promise<unknown>): Promise<void> {
  const took = Math.round(await ownTime(work));
  if (took >= ms) throw new Error(`not done within ${ms} ms: it took ${took} ms of its own time`);
}
