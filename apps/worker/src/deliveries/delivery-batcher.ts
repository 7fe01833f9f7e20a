/**
 * Puts single plans into batches for `Destination.write`.
 *
 * A batch of a hundred costs hardly more requests than a plan alone. So where several come, a plan waits for others until none is
 * on its way and none has come for `quiet_ms`, the batch is full, or the first has waited for `max_wait_ms`. A plan that comes
 * alone, none having come for a while and none being on its way, leaves at once, or after `linger_ms`: the first of a rush looks
 * like one that stays alone, and whether it is one, those that came alone before it say. Where they were followed closely, it waits
 * for that moment; where three of them were not, it no longer does.
 *
 * With `gather_ms`, a plan waits so long for others whatever comes, unless the batch is full, or one of them must not be held so
 * long: for accounts whose daily quota is scarcer than their patience. A batch is also full where this process can have no more
 * plans in hand.
 *
 * While as many batches are under way as the connection may have, plans wait, and the next batch takes all of them up to its
 * size. Every plan has its own outcome; a batch that fails as a whole fails each of its plans.
 */
import { Failure, PRIORITIES, type Priority } from '@wrapup/destination';

interface DeliveryBatcherOptions<Planned, Outcome> {
  /** Plans in one batch, at most. */
  size: number;
  /** Batches under way, at most. */
  batches: number;
  /** Time without a plan after which the next one comes alone. Default 300: so many alone are within any CRM's limits. */
  alone_ms?: number;
  /** Wait of a plan that comes alone while such ones are followed closely. Default 15. */
  linger_ms?: number;
  /** Time without a further plan after which those that wait leave. Default 100. */
  quiet_ms?: number;
  /** Longest wait of a plan. Default 750. */
  max_wait_ms?: number;
  /** How many further plans are on their way. Default: none. */
  pending?(): number;
  /** How many plans this process can have in hand at once, at least 1. Default: any number. */
  hands?(): number;
  /** Wait of every plan for others, in ms; 0 for as long as they say by themselves. Default 0. */
  gather_ms?(): number;
  /** @param priority the highest of the plans */
  write(plans: Planned[], priority: Priority): Promise<(Outcome | undefined)[]>;
}

interface WaitingPlan<Planned, Outcome> {
  plan: Planned;
  priority: Priority;
  /** When it came: ms of the monotonic clock. */
  since: number;
  /** It came alone. */
  isAlone: boolean;
  /** It may wait for `gather_ms`. */
  gathers: boolean;
  resolve(outcome: Outcome | FailedWrite): void;
}

/** Of a plan whose batch failed as a whole. */
interface FailedWrite {
  ok: false;
  failure: Failure;
}

const DEFAULTS = {
  ...{ alone_ms: 300, linger_ms: 15, quiet_ms: 100, max_wait_ms: 750 },
  pending: () => 0,
  hands: () => Number.POSITIVE_INFINITY,
  gather_ms: () => 0,
};
/** A plan that comes so soon after one that came alone has followed it: what a rush takes to become visible. */
const FOLLOWED_MS = 50;
/** How many must have stayed alone before the next one leaves at once. */
const MAX_DOUBT = 3;
/** The configuration may say otherwise meanwhile. */
const MAX_TIMER_MS = 1_000;

/** @typeParam Planned a plan, with what is needed to write it */
export class DeliveryBatcher<Planned, Outcome> {
  readonly #options: Required<DeliveryBatcherOptions<Planned, Outcome>>;
  readonly #waiting: WaitingPlan<Planned, Outcome>[] = [];
  #underWay = 0;
  /** When the latest plan came. */
  #latest = Number.NEGATIVE_INFINITY;
  /** When the latest of those came that came alone, until it is known whether it was followed. */
  #lone: number | undefined;
  /** How many must still stay alone before the next one leaves at once. */
  #doubt = MAX_DOUBT;
  #isGathering = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeliveryBatcherOptions<Planned, Outcome>) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Never rejects: a failure is an outcome. @param gathers false for a plan that must not be held for `gather_ms` */
  submit(plan: Planned, priority: Priority, gathers = true): Promise<Outcome | FailedWrite> {
    return new Promise((resolve) => {
      const now = performance.now();
      const { alone_ms, pending } = this.#options;
      const isAlone = now - this.#latest > alone_ms && this.#underWay + this.#waiting.length + pending() === 0;
      this.#judgeLone(now);
      this.#latest = now;
      if (isAlone) this.#lone = now;
      this.#waiting.push({ plan, priority, since: now, isAlone, gathers, resolve });
      this.#schedule();
    });
  }

  /** From now on plans wait for others as without `gather_ms`, also those that wait already. */
  stopGathering(): void {
    this.#isGathering = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  /** Learns from what comes next whether the latest plan that came alone stayed so. */
  #judgeLone(now: number): void {
    if (this.#lone === undefined) return;
    this.#doubt = now - this.#lone <= FOLLOWED_MS ? MAX_DOUBT : Math.max(0, this.#doubt - 1);
    this.#lone = undefined;
  }

  /** Sends the batches that are due, and comes back when the next one may be. */
  #schedule(): void {
    const { size, batches, hands } = this.#options;
    while (this.#underWay < batches && this.#waiting.length > 0) {
      const wait = this.#waiting.length >= Math.min(size, hands()) ? 0 : this.#untilDue();
      if (wait > 0) {
        this.#timer ??= setTimeout(
          () => {
            this.#timer = undefined;
            this.#schedule();
          },
          Math.min(wait, MAX_TIMER_MS),
        );
        return;
      }
      void this.#write(this.#waiting.splice(0, size));
    }
  }

  /** Whole ms until the plans that wait leave, full batch or not. */
  #untilDue(): number {
    const { linger_ms, quiet_ms, max_wait_ms, pending, gather_ms } = this.#options;
    const now = performance.now();
    const [first] = this.#waiting;
    const oldest = first?.since ?? 0;
    const gathered = this.#isGathering && this.#waiting.every(({ gathers }) => gathers) ? gather_ms() : 0;
    if (gathered > 0) return Math.max(0, Math.ceil(oldest + gathered - now));
    if (first?.isAlone && this.#waiting.length === 1 && pending() === 0)
      return this.#doubt > 0 ? Math.max(0, Math.ceil(oldest + linger_ms - now)) : 0;
    const quiet = (pending() > 0 ? now : this.#latest) + quiet_ms;
    return Math.max(0, Math.ceil(Math.min(quiet, oldest + max_wait_ms) - now));
  }

  async #write(batch: WaitingPlan<Planned, Outcome>[]): Promise<void> {
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
