import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { builtFile } from './built-file.ts';
import type { Evaluation, EvaluationRequest } from './evaluate.ts';

/** The mapping takes more time or memory for the call than it may: it was stopped. */
export class TookTooMuch extends Error {
  override name = 'TookTooMuch';
}
/** A newer question of the same operator came, or too many wait. */
export class NotEvaluated extends Error {
  override name = 'NotEvaluated';
  readonly why: 'newer' | 'busy';

  constructor(why: 'newer' | 'busy') {
    super(why === 'newer' ? 'a newer question of the same operator came' : 'too many questions wait');
    this.why = why;
  }
}

export interface EvaluatorOptions {
  /** Milliseconds that one evaluation may take. Default 5,000. */
  within?: number;
  /** Milliseconds without a question after which the thread ends. Default 60,000. */
  idle?: number;
}

interface Waiting {
  owner: string;
  question: EvaluationRequest;
  resolve(evaluation: Evaluation): void;
  reject(error: Error): void;
}

/** Operators who wait at once; each has at most one question that waits. */
const MOST_WAITING = 16;
/** Of the thread: a mapping on a large call takes a few. */
const MEMORY_MB = 256;

/**
 * Evaluates mappings beside the pages: in one thread, one after the other, each within its time. A question that waits gives way to
 * a newer one of the same operator, so that who types waits for the last only.
 */
export class Evaluator {
  readonly #within: number;
  readonly #idle: number;
  #waiting: Waiting[] = [];
  #thread: Promise<Worker> | undefined;
  #isBusy = false;
  #ending: NodeJS.Timeout | undefined;

  constructor({ within = 5_000, idle = 60_000 }: EvaluatorOptions = {}) {
    this.#within = within;
    this.#idle = idle;
  }

  /** @throws TookTooMuch, NotEvaluated */
  evaluate(owner: string, question: EvaluationRequest): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const older = this.#waiting.findIndex((one) => one.owner === owner);
      if (older >= 0) this.#waiting.splice(older, 1)[0]?.reject(new NotEvaluated('newer'));
      if (this.#waiting.length >= MOST_WAITING) return reject(new NotEvaluated('busy'));
      this.#waiting.push({ owner, question, resolve, reject });
      void this.#work();
    });
  }

  /** Ends the thread; what waits is not evaluated. */
  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(new NotEvaluated('busy'));
    await this.#end();
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    clearTimeout(this.#ending);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        next.resolve(await this.#ask(next.question));
      } catch (error) {
        // What it is doing cannot be stopped but with the thread.
        await this.#end();
        next.reject(error as Error);
      }
    }
    this.#isBusy = false;
    this.#ending = setTimeout(() => void this.#end(), this.#idle).unref();
  }

  async #ask(question: EvaluationRequest): Promise<Evaluation> {
    this.#thread ??= openThread();
    const thread = await this.#thread;
    const late = AbortSignal.timeout(this.#within);
    // Both end: `once` rejects with what the thread died of.
    const answer = once(thread, 'message', { signal: late });
    thread.postMessage(question);
    try {
      const [evaluation] = await answer;
      return evaluation as Evaluation;
    } catch (error) {
      if (late.aborted) throw new TookTooMuch(`more than ${this.#within} ms`);
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ERR_WORKER_OUT_OF_MEMORY' ? new TookTooMuch(`more than ${MEMORY_MB} MB`) : error;
    }
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    clearTimeout(this.#ending);
    await thread?.then((worker) => worker.terminate()).catch(() => {});
  }
}

async function openThread(): Promise<Worker> {
  const thread = new Worker(builtFile('workbench-thread.mjs') ?? `${import.meta.dirname}/thread.ts`, {
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    execArgv: [],
    env: process.env.WRAPUP_USERS === undefined ? {} : { WRAPUP_USERS: process.env.WRAPUP_USERS },
  });
  // The process does not wait for it when it ends.
  thread.unref();
  await once(thread, 'message');
  return thread;
}
