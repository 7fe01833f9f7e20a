/**
 * The queues of calls and deliveries, as one process serves them. A queue that holds work has a line: a BullMQ worker that
 * shares the process's connection to Redis. A queue without work has none, and costs nothing, however many there are.
 *
 *   bell ──► a queue has just been given a job ─┐
 *   look, every second at the busy queues ──────┼─► its line is opened, or woken
 *   timer, when the first delayed job is due ───┘
 *
 * A line is opened for ready jobs, for delayed ones that are due, and for jobs that any process has in hand: that is how those
 * of a process that died are taken over. It is closed again when it has rested for a while. The look finds whatever the bell
 * missed.
 *
 * Queues take nothing from each other: each line has jobs in hand of its own, and where all of them together would have too
 * many, each has fewer, though never none. Lines and hands are shared out by client, and those of a client among its queues.
 * So a client with a hundred thousand waiting calls, with a CRM that hangs, or with hundreds of connections, is served beside
 * the others and not before them.
 */
import { Failure, type Log } from '@wrapup/destination';
import { clientOfQueue, type QueueState, RungBackend, type Store } from '@wrapup/queue';
import { type Job, Worker, type WorkerOptions } from 'bullmq';
import { Bell } from './bell.ts';
import { dropAll } from './installation-workers.ts';

/** How the jobs of a queue are done. */
export interface QueueService {
  /** Jobs in hand at once, at most. */
  concurrency: number;
  run(job: Job, token: string): Promise<void>;
  /** Called for each job that failed for good. */
  onFailed?(): void;
}

interface QueueLinesParts {
  store: Store;
  log: Log;
  /** Of each BullMQ worker. */
  options: WorkerOptions;
  /** Names of the queues that this process serves. */
  served(): Iterable<string>;
  /** Prepares the service of a queue. Rejects when it cannot be served now. */
  prepare(queue: string): Promise<QueueService>;
  /** Lines that are open at once. Default 1,000. */
  maxOpen?: number;
  /** Ms between two finished jobs of a queue that are kept, at least. Default 50. */
  keepEvery?: number;
  onError(error: Error): void;
}

interface Line {
  worker: Worker;
  backend: RungBackend;
  /** Jobs in hand at once, at most, while all lines together have not too many. */
  concurrency: number;
  inHand: number;
  openedAt: number;
  /** When it last had a job, or was opened or woken: ms of the monotonic clock, as all times here. */
  usedAt: number;
  /** When the last finished job that is kept was finished. */
  keptAt: number;
}

/** Between two looks at the busy queues. */
const LOOK_EVERY_MS = 1_000;
/** A look that takes long comes less often: it takes at most one part in so many of the time. */
const LOOK_SHARE = 50;
/** Between two looks at all queues, for jobs that processes of an earlier version added without ringing. */
const SURVEY_EVERY_MS = 15_000;
const SURVEY_SHARE = 500;
/** A line without a job for so long is closed. */
const REST_MS = 5_000;
/** Finished jobs are kept for people who look; of a backlog, which finishes a thousand in a second, some will do. */
const KEEP_EVERY_MS = 50;
/** Between two tries at a queue that cannot be served. */
const PREPARE_AGAIN_MS = 30_000;
/** Jobs that all lines together have in hand, about: each of them has at least one. */
const MAX_IN_HAND = 2_000;
/**
 * Lines that are open at once. A further queue takes a place of the client that has most of them, where its own has fewer;
 * else the place of its own client's line that has been served longest, in turn.
 */
const MAX_OPEN = 1_000;
const TURN_MS = 5_000;
/** Wait before the next name is taken from the bell, after one of a line that is at work anyway. */
const BUSY_PAUSE_MS = 10;
/** The longest wait that a timer can have. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class QueueLines {
  readonly #parts: QueueLinesParts;
  readonly #bell: Bell;
  readonly #lines = new Map<string, Line>();
  /** Names of these queues by client, undefined for wrapup.yaml itself, in the order in which they were opened. */
  readonly #byClient = new Map<string | undefined, Set<string>>();
  /** Those of the client that has most; undefined where it has to be looked for. */
  #most: Set<string> | undefined;
  /** Being opened. */
  readonly #opening = new Map<string, Promise<void>>();
  /** Closed, with the last jobs still in hand. */
  readonly #closing = new Set<Worker>();
  /** When the service of a queue could not be prepared. */
  readonly #refused = new Map<string, number>();
  /** Since when a queue with ready jobs has finished none. */
  readonly #still = new Map<string, number>();
  #served = new Set<string>();
  #surveyAt = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  #dueTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: QueueLinesParts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.store);
    this.#served = new Set(parts.served());
    parts.store.queues.takeOwn((queue) => this.#takeOwn(queue));
    void this.#bell.listen((queue) => this.#rung(queue));
    this.#lookAfter(0);
  }

  /** Takes over which queues are served, and tries those again that could not be. Lines of others finish what they have in hand. */
  reconfigure(): void {
    this.#served = new Set(this.#parts.served());
    this.#refused.clear();
    this.#surveyAt = 0;
    for (const name of this.#lines.keys()) if (!this.#served.has(name)) this.#close(name);
    for (const name of this.#still.keys()) if (!this.#served.has(name)) this.#still.delete(name);
    void this.#look();
  }

  /** Jobs of a queue that this process can have in hand at once now, at least 1. One whose line is being closed gets no more. */
  handsOf(queue: string): number {
    return this.#lines.get(queue)?.worker.concurrency ?? 1;
  }

  /** Names of queues with ready jobs of which none has been finished for `ms`. */
  async stuck(ms: number): Promise<string[]> {
    // One that is under way may have read what was a moment ago.
    await this.#looking;
    await this.#look();
    const now = performance.now();
    return [...this.#still].filter(([, since]) => now - since >= ms).map(([name]) => name);
  }

  /** Takes no new job and finishes those in hand. */
  async close(): Promise<void> {
    this.#stop();
    await Promise.all(this.#opening.values());
    await this.#looking;
    await Promise.all([...this.#workers()].map((worker) => worker.close()));
  }

  /** Ends at once; the jobs in hand are redelivered. Waits a little for workers that end by themselves. */
  async drop(): Promise<void> {
    this.#stop();
    await dropAll(this.#workers());
  }

  #workers(): Set<Worker> {
    return new Set([...this.#closing, ...[...this.#lines.values()].map(({ worker }) => worker)]);
  }

  #stop(): void {
    this.#isClosed = true;
    this.#bell.stop();
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#dueTimer);
  }

  async #rung(queue: string): Promise<void> {
    const line = this.#lines.get(queue);
    const isAtWork = line !== undefined && !line.backend.isWaiting;
    void this.#open(queue);
    if (!isAtWork) return;
    // It finds the job by itself. Names that come meanwhile are taken together.
    await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
  }

  /** Jobs that this process adds go to its own line, where that has hands free: no other process need be woken. */
  #takeOwn(queue: string): (() => void) | undefined {
    const line = this.#lines.get(queue);
    if (!line || this.#isClosed || line.inHand >= line.worker.concurrency) return undefined;
    return () => {
      if (this.#lines.get(queue) === line) wake(line);
      else void this.#open(queue);
    };
  }

  /** Opens the line of a queue, or wakes it. Never rejects. */
  async #open(queue: string): Promise<void> {
    const line = this.#lines.get(queue);
    if (line) return wake(line);
    if (this.#isClosed || !this.#served.has(queue)) return;
    const refused = this.#refused.get(queue);
    if (refused !== undefined && performance.now() - refused < PREPARE_AGAIN_MS) return;
    const { maxOpen = MAX_OPEN } = this.#parts;
    if (this.#lines.size + this.#opening.size >= maxOpen && !this.#makePlace(queue)) return;
    const opening =
      this.#opening.get(queue) ??
      this.#prepare(queue).finally(() => {
        this.#opening.delete(queue);
      });
    this.#opening.set(queue, opening);
    await opening;
  }

  async #prepare(queue: string): Promise<void> {
    const { prepare, log } = this.#parts;
    try {
      const service = await prepare(queue);
      this.#refused.delete(queue);
      if (!this.#isClosed && this.#served.has(queue)) this.#start(queue, service);
    } catch (error) {
      this.#refused.set(queue, performance.now());
      const { message, hint } = Failure.of(error);
      log.error({ queue, reason: message, hint }, 'a queue cannot be served; its jobs wait');
    }
  }

  #start(queue: string, { concurrency, run, onFailed }: QueueService): void {
    const { options, onError, keepEvery = KEEP_EVERY_MS } = this.#parts;
    let backend: RungBackend | undefined;
    const worker = new Worker(
      queue,
      async (job, token = '') => {
        line.inHand += 1;
        try {
          await run(job, token);
          const now = performance.now();
          if (now - line.keptAt < keepEvery) job.opts.removeOnComplete = true;
          else line.keptAt = now;
        } catch (error) {
          // It has been delayed, or will be: a line that waits must learn until when.
          line.backend.ring();
          throw error;
        } finally {
          line.inHand -= 1;
          line.usedAt = performance.now();
          if (this.#still.has(queue)) this.#still.set(queue, line.usedAt);
        }
      },
      { ...options, concurrency },
      (name, opts) => {
        backend = new RungBackend(name, opts);
        return backend;
      },
    );
    const now = performance.now();
    const line: Line = {
      ...{ worker, backend: backend as unknown as RungBackend, concurrency },
      ...{ inHand: 0, openedAt: now, usedAt: now, keptAt: Number.NEGATIVE_INFINITY },
    };
    worker.on('error', onError);
    worker.on('failed', (job) => {
      line.backend.ring();
      if (job?.finishedOn) onFailed?.();
    });
    this.#lines.set(queue, line);
    const client = clientOfQueue(queue);
    this.#byClient.set(client, (this.#byClient.get(client) ?? new Set()).add(queue));
    this.#most = undefined;
    this.#share();
  }

  #close(queue: string): void {
    const line = this.#lines.get(queue);
    if (!line) return;
    this.#lines.delete(queue);
    const client = clientOfQueue(queue);
    const theirs = this.#byClient.get(client);
    theirs?.delete(queue);
    if (theirs?.size === 0) this.#byClient.delete(client);
    this.#most = undefined;
    this.#closing.add(line.worker);
    line.worker
      .close()
      .catch(this.#parts.onError)
      .finally(() => this.#closing.delete(line.worker));
  }

  /** @returns whether there is a place for the line of a queue now */
  #makePlace(queue: string): boolean {
    this.#most ??= [...this.#byClient.values()].reduce(
      (most, some) => (some.size > most.size ? some : most),
      new Set(),
    );
    const own = this.#byClient.get(clientOfQueue(queue));
    const hasFewer = this.#most.size > (own?.size ?? 0) + 1;
    const [longest] = hasFewer ? this.#most : (own ?? this.#lines.keys());
    const line = longest === undefined ? undefined : this.#lines.get(longest);
    if (longest === undefined || !line) return false;
    if (!hasFewer && performance.now() - line.openedAt < TURN_MS) return false;
    this.#close(longest);
    return true;
  }

  /**
   * Gives each line its part of the jobs that all of them together may have in hand: to each client the same, as far as it
   * wants that many, and of what is a client's to each line in proportion.
   */
  #share(): void {
    const isIdle = ({ inHand, backend }: Line) => inHand === 0 && backend.isWaiting;
    const wanted = new Map<string | undefined, number>();
    for (const [queue, line] of this.#lines) {
      if (isIdle(line)) continue;
      const client = clientOfQueue(queue);
      wanted.set(client, (wanted.get(client) ?? 0) + line.concurrency);
    }
    const parts = new Map<string | undefined, number>();
    let left = MAX_IN_HAND;
    // What those that want least leave is for the others.
    for (const [client, want] of [...wanted].sort(([, a], [, b]) => a - b)) {
      const given = Math.min(want, left / (wanted.size - parts.size));
      left -= given;
      parts.set(client, given / want);
    }
    for (const [queue, { worker, concurrency }] of this.#lines) {
      const whenItComes = Math.min(1, MAX_IN_HAND / (wanted.size + 1) / concurrency);
      const part = parts.get(clientOfQueue(queue)) ?? whenItComes;
      const share = Math.max(1, Math.floor(concurrency * part));
      if (worker.concurrency !== share) worker.concurrency = share;
    }
  }

  #lookAfter(ms: number): void {
    clearTimeout(this.#lookTimer);
    if (this.#isClosed) return;
    this.#lookTimer = setTimeout(async () => {
      const began = performance.now();
      await this.#look();
      this.#lookAfter(Math.max(LOOK_EVERY_MS, LOOK_SHARE * (performance.now() - began)));
    }, ms);
  }

  /** One at a time: while Redis is away none ends. Never rejects. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce()
      .catch((error) => {
        if (!this.#isClosed) this.#parts.log.warn({ err: error }, 'the busy queues could not be read');
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    if (this.#isClosed) return;
    await this.#survey();
    const states = (await this.#parts.store.queues.read()).filter(({ name }) => this.#served.has(name));
    const now = Date.now();
    const needed = states.filter((state) => needsLine(state, now));
    this.#noteStill(states);
    for (const { name, waiting, due, isPaused } of needed) {
      const line = this.#lines.get(name);
      if (!line) void this.#open(name);
      else if (!isPaused && (waiting > 0 || due !== undefined)) wake(line);
    }
    const wanted = new Set(needed.map(({ name }) => name));
    for (const [name, line] of this.#lines) {
      const isResting = line.inHand === 0 && line.backend.isWaiting && performance.now() - line.usedAt > REST_MS;
      if (isResting && !wanted.has(name)) this.#close(name);
    }
    this.#share();
    this.#awaitDue(states);
  }

  async #survey(): Promise<void> {
    const began = performance.now();
    if (began < this.#surveyAt) return;
    await this.#parts.store.queues.read([...this.#served]);
    const took = performance.now() - began;
    this.#surveyAt = began + Math.max(SURVEY_EVERY_MS, SURVEY_SHARE * took);
  }

  #noteStill(states: readonly QueueState[]): void {
    const isReady = ({ name, waiting, isPaused }: QueueState) => waiting > 0 && !isPaused && !this.#refused.has(name);
    const ready = new Set(states.filter(isReady).map(({ name }) => name));
    for (const name of this.#still.keys()) if (!ready.has(name)) this.#still.delete(name);
    for (const name of ready) if (!this.#still.has(name)) this.#still.set(name, performance.now());
  }

  /** One timer for the delayed jobs of all queues without a line. Lines have timers of their own. */
  #awaitDue(states: readonly QueueState[]): void {
    clearTimeout(this.#dueTimer);
    const asleep = states.filter(({ name, due, isPaused }) => due !== undefined && !isPaused && !this.#lines.has(name));
    const first = Math.min(...asleep.map(({ due = 0 }) => due));
    if (this.#isClosed || !Number.isFinite(first)) return;
    this.#dueTimer = setTimeout(() => void this.#look(), Math.min(MAX_TIMER_MS, Math.max(0, first - Date.now())));
  }
}

function needsLine({ waiting, active, due, isPaused }: QueueState, now: number): boolean {
  return active > 0 || (!isPaused && (waiting > 0 || (due !== undefined && due <= now)));
}

function wake(line: Line): void {
  line.usedAt = performance.now();
  line.backend.ring();
}
