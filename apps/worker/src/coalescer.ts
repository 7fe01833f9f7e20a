/**
 * Gathers single plans into batches for `Destination.write`.
 *
 * A lone plan goes at once. While as many batches are in flight as the connection may have, plans wait together, and
 * the next free flight takes all of them up to the batch size: the busier the CRM, the fuller the batches, and nobody
 * waits for company that does not come. Every plan keeps its own promise; a batch that fails as a whole fails each.
 */
import { Failure, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';

export interface CoalescerOptions {
  /** Plans in one batch, at most. */
  batch: number;
  /** Batches in flight, at most. */
  flights: number;
  write(plans: Plan[]): Promise<WriteOutcome[]>;
}

interface Waiting {
  plan: Plan;
  resolve(outcome: WriteOutcome): void;
}

export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #waiting: Waiting[] = [];
  #flying = 0;
  #scheduled = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** Never rejects: whatever goes wrong is an outcome. */
  submit(plan: Plan): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      this.#waiting.push({ plan, resolve });
      this.#schedule();
    });
  }

  /** One turn of the event loop lets plans that came together leave together. */
  #schedule(): void {
    if (this.#scheduled || this.#flying >= this.#options.flights) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#flying < this.#options.flights) {
        void this.#fly(this.#waiting.splice(0, this.#options.batch));
      }
    });
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
