/**
 * One worker process for all mutants instead of a new one for each: to start Node and to load Vitest and the libraries takes
 * ten times as long as the tests of most mutants. What is Wrapup's own is loaded anew for each mutant (`fresh-modules.ts`).
 */
import { ForksPoolWorker, type PoolOptions, type PoolWorker, type WorkerRequest } from 'vitest/node';

type Listener = (message: unknown) => void;

/** The worker's side of Vitest keeps a listener of each run: after so many the process begins anew. */
const MAX_RUNS = 500;

let kept: ForksPoolWorker | undefined;
let runs = 0;

class KeptWorker implements PoolWorker {
  readonly name = 'kept';
  readonly cacheFs = true;
  readonly #options: PoolOptions;
  readonly #listeners: [event: string, listener: Listener][] = [];
  #run = Promise.withResolvers<void>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#run.resolve();
  }

  async start(): Promise<void> {
    if (runs++ % MAX_RUNS === 0) {
      await kept?.stop();
      kept = new ForksPoolWorker(this.#options);
      await kept.start();
    }
    this.on('message', (message) => {
      if ((message as { type?: string }).type === 'testfileFinished') this.#run.resolve();
    });
  }

  /** The process stays for the next run, and ends with its parent. */
  async stop(): Promise<void> {
    for (const [event, listener] of this.#listeners) kept?.off(event, listener);
  }

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener]);
    kept?.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    kept?.off(event, listener);
  }

  /** To a request to stop, which would end the process, the answer is given here, once nothing runs in it any more. */
  send(message: WorkerRequest): void {
    if (message.type === 'stop') {
      void this.#run.promise.then(() => this.#emit({ type: 'stopped', __vitest_worker_response__: true }));
      return;
    }
    if (message.type === 'run') this.#run = Promise.withResolvers();
    kept?.send(message);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  #emit(message: unknown): void {
    for (const [event, listener] of this.#listeners) if (event === 'message') listener(message);
  }
}

export const keptWorker = { name: 'kept', createPoolWorker: (options: PoolOptions) => new KeptWorker(options) };
