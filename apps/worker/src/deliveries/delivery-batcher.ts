/**
 * Puts single plans into batches for `Destination.write`.
 *
 * A plan that comes alone, none having come for a while and none being on its way, leaves at once. A batch of a hundred
 * costs hardly more requests than a plan alone, though: so where several come, a plan waits for others until none is on
 * its way and none has come for `quiet_ms`, the batch is full, or the first has waited for `max_wait_ms`. While as many
 * batches are under way as the connection may have, plans wait, and the next batch takes all of them up to its size. Every
 * plan has its own outcome; a batch that fails as a whole fails each of its plans.
 */
import { Failure, PRIORITIES, type Priority, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';

interface DeliveryBatcherOptions {
  /** Plans in one batch, at most. */
  size: number;
  /** Batches under way, at most. */
  batches: number;
  /** Time without a plan after which the next one leaves at once. Default 300: so many alone are within any CRM's limits. */
  alone_ms?: number;
  /** Time without a further plan after which those that wait leave. Default 100. */
  quiet_ms?: number;
  /** Longest wait of a plan. Default 750. */
  max_wait_ms?: number;
  /** How many further plans are on their way. Default: none. */
  pending?(): number;
  /** @param priority the highest of the plans */
  write(plans: Plan[], priority: Priority): Promise<WriteOutcome[]>;
}

interface WaitingPlan {
  plan: Plan;
  priority: Priority;
  /** When it came: ms of the monotonic clock. */
  since: number;
  resolve(outcome: WriteOutcome): void;
}

const DEFAULTS = { alone_ms: 300, quiet_ms: 100, max_wait_ms: 750, pending: () => 0 };

export class DeliveryBatcher {
  readonly #options: Required<DeliveryBatcherOptions>;
  readonly #waiting: WaitingPlan[] = [];
  #underWay = 0;
  /** When the latest plan came. */
  #latest = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeliveryBatcherOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Never rejects: a failure is an outcome. */
  submit(plan: Plan, priority: Priority): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      const now = performance.now();
      const { alone_ms, pending } = this.#options;
      const alone = now - this.#latest > alone_ms && this.#underWay + this.#waiting.length + pending() === 0;
      this.#latest = now;
      const waiting = { plan, priority, since: now, resolve };
      if (alone) return void this.#write([waiting]);
      this.#waiting.push(waiting);
      this.#schedule();
    });
  }

  /** Sends the batches that are due, and comes back when the next one may be. */
  #schedule(): void {
    const { size, batches } = this.#options;
    while (this.#underWay < batches && this.#waiting.length > 0) {
      const wait = this.#waiting.length >= size ? 0 : this.#untilDue();
      if (wait > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#schedule();
        }, wait);
        return;
      }
      void this.#write(this.#waiting.splice(0, size));
    }
  }

  /** Whole ms until the plans that wait leave, full batch or not. */
  #untilDue(): number {
    const { quiet_ms, max_wait_ms, pending } = this.#options;
    const now = performance.now();
    const oldest = this.#waiting[0]?.since ?? 0;
    const quiet = (pending() > 0 ? now : this.#latest) + quiet_ms;
    return Math.max(0, Math.ceil(Math.min(quiet, oldest + max_wait_ms) - now));
  }

  async #write(batch: WaitingPlan[]): Promise<void> {
    this.#underWay += 1;
    try {
      const highest = PRIORITIES.find((one) => batch.some(({ priority }) => priority === one)) ?? 'live';
      const outcomes = await this.#options.write(
        batch.map(({ plan }) => plan),
        highest,
      );
      batch.forEach(({ resolve }, index) => {
        resolve(outcomes[index] ?? { ok: false, failure: unaccounted() });
      });
    } catch (error) {
      const failure = Failure.of(error);
      for (const { resolve } of batch) resolve({ ok: false, failure });
    } finally {
      this.#underWay -= 1;
      this.#schedule();
    }
  }
}

function unaccounted(): Failure {
  return new Failure('unaccounted', 'The batch came back without an outcome for this call.');
}
