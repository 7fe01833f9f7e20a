/**
 * The world of one run: its time, its logical processes, and what they wait for. Nothing in it happens by itself: each request,
 * answer and timer waits until the scheduler lets it go on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { makeRandom, type Random } from '../../support/random.ts';

/** One life of a logical process: an ingress, a worker, an operator at the command line. What it holds in memory ends with it. */
export class LogicalProcess {
  readonly name: string;
  /** Ms that its clock is ahead of the world's. */
  readonly skew: number;
  /** It has crashed or ended: nothing that it waits for comes any more. */
  isGone = false;
  /** Called when it has crashed or ended. */
  onGone: (() => void) | undefined;
  /** Its event loop stands still until then, ms of the world's clock. */
  frozen_until = 0;

  constructor(name: string, skew = 0) {
    this.name = name;
    this.skew = skew;
  }
}

const inside = new AsyncLocalStorage<LogicalProcess | undefined>();

/** The CRM. It has the world's clock, and does what it is asked without waiting for the scheduler. */
export const CRM = new LogicalProcess('crm');

/** Whose code runs now; undefined outside of any logical process. */
export function currentProcess(): LogicalProcess | undefined {
  return inside.getStore();
}

/** Runs code as a process. */
export function enter<Result>(process: LogicalProcess, work: () => Result): Result {
  return inside.run(process, work);
}

/** Something that a process has sent and waits for. */
export interface Waiting {
  readonly process: LogicalProcess;
  /** For the log: `wrapupBegin`, `POST …/calls/batch/create`. */
  readonly what: string;
}

/** One thing that happened. */
export interface LogEntry {
  /** Name of the process that did it, or that it happened to; absent for what happens to all. */
  who?: string;
  what: string;
  /** The call that it is about, where it is about one. */
  call?: string | undefined;
  /** What went wrong. */
  trouble?: string | undefined;
  /** Of what was asked and answered. */
  digest?: string | undefined;
}

interface Timer {
  at: number;
  process: LogicalProcess;
  run(): void;
}

const realSetImmediate = setImmediate;

export class World<Waits extends Waiting = Waiting> {
  /** Epoch ms. */
  now: number;
  /** For what processes draw: ids, jitter. */
  readonly random: Random;
  /** In the order in which they were sent. */
  readonly waiting: Waits[] = [];
  readonly timers = new Set<Timer>();
  /** Callbacks of `setImmediate`. */
  readonly soon: { process: LogicalProcess; run(): void }[] = [];
  readonly log: LogEntry[] = [];

  constructor(seed: number, now: number) {
    this.now = now;
    this.random = makeRandom(seed);
  }

  note(entry: LogEntry): void {
    this.log.push(entry);
  }

  /** Ends a process. What it has sent is handed back; its timers are gone. */
  end(process: LogicalProcess): Waits[] {
    process.isGone = true;
    process.onGone?.();
    const sent = this.waiting.filter((one) => one.process === process);
    for (const one of sent) this.take(one);
    for (const timer of this.timers) if (timer.process === process) this.timers.delete(timer);
    return sent;
  }

  take(one: Waits): void {
    const place = this.waiting.indexOf(one);
    if (place >= 0) this.waiting.splice(place, 1);
  }

  /** What may go on now: of processes that are not frozen. */
  ready(): Waits[] {
    return this.waiting.filter(({ process }) => process.frozen_until <= this.now);
  }

  /** The next timer of those that may fire, the earliest first; equal ones in the order in which they were set. */
  nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      const at = Math.max(timer.at, timer.process.frozen_until);
      if (!next || at < Math.max(next.at, next.process.frozen_until)) next = timer;
    }
    return next;
  }

  /** Lets all code run until every process waits for something. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => realSetImmediate(resolve));
      if (this.soon.length === 0) return;
      for (const { process, run } of this.soon.splice(0)) if (!process.isGone) run();
    }
  }
}
