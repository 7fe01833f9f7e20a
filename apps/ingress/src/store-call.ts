import type { Accepted, Arrival, Intake } from '@wrapup/queue';
import { Refusal } from './refusal.ts';

/**
 * Gives the call to Redis. Whoever waits for the answer is told to come again when that fails or takes too long; should
 * Redis have taken it after all, the repeat is a duplicate.
 * @param within milliseconds
 * @throws Refusal `unavailable`
 */
export async function storeCall(intake: Intake, arrival: Arrival, within: number): Promise<Accepted> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis took longer than ${within} ms`)), within);
  });
  try {
    return await Promise.race([intake.accept(arrival), late]);
  } catch (error) {
    throw new Refusal('unavailable', undefined, error);
  } finally {
    clearTimeout(timer);
  }
}
