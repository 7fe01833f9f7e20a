import { withDeadline } from '@wrapup/destination';
import type { Accepted, Arrival, Intake } from '@wrapup/queue';
import { HttpProblem } from '../http/http-problem.ts';

/**
 * Stores the call in Redis. If that fails or takes too long, the sender is asked to send again; should Redis have stored it
 * after all, the repeat is a duplicate.
 * @param within milliseconds
 * @throws HttpProblem `unavailable`
 */
export async function storeCall(intake: Intake, arrival: Arrival, within: number): Promise<Accepted> {
  try {
    return await withDeadline(intake.accept(arrival), within, () => new Error(`Redis took longer than ${within} ms`));
  } catch (error) {
    throw new HttpProblem('unavailable', undefined, error);
  }
}
