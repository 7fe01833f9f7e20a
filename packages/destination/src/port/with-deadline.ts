/**
 * Returns the result of the work if it comes in time. A later result, or failure, is dropped.
 * @param ms from now; less than 0 counts as 0
 * @param late makes the error of a passed deadline
 * @param signal also ends the wait
 * @throws what `late` makes, the reason of the signal, or what the work throws
 */
export async function withDeadline<T>(
  work: Promise<T>,
  ms: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  let stop = () => {};
  const ended = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), Math.max(0, ms));
    const onAbort = () => reject(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    stop();
  }
}
