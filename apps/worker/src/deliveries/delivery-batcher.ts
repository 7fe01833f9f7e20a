/**
 * Gathers single plans into batches for `Destination.write`.
 *
 * A plan that comes alone, none having come for a while and none being on the way, leaves at once. Requests to a CRM are
 * counted, though, and a batch of a hundred costs hardly more than a plan alone: so where several come, one waits for
 * company, until none is on the way any more and none has come for `quiet` ms, the batch is full, or the first has waited
 * for `longest` ms. While as many batches are in flight as the connection may have, plans wait together, and the next free
 * flight takes all of them up to the batch size. Every plan keeps its own promise; a batch that fails as a whole fails each.
 */
import { Failure, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';

export interface CoalescerOptions {
  /** Plans in one batch, at most. */
  batch: number;
  /** Batches in flight, at most. */
  flights: number;
  /** Ms without a plan after which the next one leaves at once. Default 300: so many alone are within any CRM's limits. */
  alone?: number;
  /** Ms without a further plan after which those that wait leave together. Default 100. */
  quiet?: number;
  /** Ms that a plan waits for company at most. Default 750. */
  longest?: number;
  /** How many further plans are on the way. Nobody unless told. */
  coming?(): number;
  write(plans: Plan[]): Promise<WriteOutcome[]>;
}

interface Waiting {
  plan: Plan;
  /** When it came: ms of the monotonic clock. */
  since: number;
  resolve(outcome: WriteOutcome): void;
}

const ALONE = 300;
const QUIET = 100;
const LONGEST = 750;

export class Coalescer {
  readonly #options: Required<CoalescerOptions>;
  readonly #waiting: Waiting[] = [];
  #flying = 0;
  /** When the latest plan came. */
  #latest = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CoalescerOptions) {
    this.#options = { alone: ALONE, quiet: QUIET, longest: LONGEST, coming: () => 0, ...options };
  }

  /** Never rejects: whatever goes wrong is an outcome. */
  submit(plan: Plan): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      const now = performance.now();
      const { alone: apart, coming } = this.#options;
      const alone = now - this.#latest > apart && this.#flying + this.#waiting.length + coming() === 0;
      this.#latest = now;
      const waiting = { plan, since: now, resolve };
      if (alone) return void this.#fly([waiting]);
      this.#waiting.push(waiting);
      this.#schedule();
    });
  }

  /** Lets go what has gathered, and looks again when the next batch may have. */
  #schedule(): void {
    const { batch, flights } = this.#options;
    while (this.#flying < flights && this.#waiting.length > 0) {
      const wait = this.#waiting.length >= batch ? 0 : this.#untilGathered();
      if (wait > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#schedule();
        }, wait);
        return;
      }
      void this.#fly(this.#waiting.splice(0, batch));
    }
  }

  /** Ms, whole; 0 when nobody is waited for any more. */
  #untilGathered(): number {
    const { quiet, longest, coming } = this.#options;
    const now = performance.now();
    const oldest = this.#waiting[0]?.since ?? 0;
    const company = (coming() > 0 ? now : this.#latest) + quiet;
    return Math.max(0, Math.ceil(Math.min(company, oldest + longest) - now));
  }

  async #fly(batch: Waiting[]): Promise<void> {
    this.#flying += 1;
    try {
      const outcomes = await this.#options.write(batch.map(({ plan }) => plan));
      batch.forEach(({ resolve }, index) => {
        resolve(outcomes[index] ?? { ok: false, failure: unaccounted() });
      });
    } catch (error) {
      const failure = Failure.of(error);
      for (const { resolve } of batch) resolve({ ok: false, failure });
    } finally {
      this.#flying -= 1;
      this.#schedule();
    }
  }
}

function unaccounted(): Failure {
  return new Failure('unaccounted', 'The batch came back without an outcome for this call.');
}
