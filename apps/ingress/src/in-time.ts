import { Failure } from '@wrapup/destination';

/**
 * The work's result when it comes in time. What comes too late is thrown away, and so is its failure.
 * @param ms from now
 * @throws Failure `timeout`
 */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('timeout', 'It took too long while the phone rang.')), Math.max(0, ms));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
