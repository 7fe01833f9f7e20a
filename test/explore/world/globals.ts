/**
 * Clock, timers and randomness as code inside a logical process sees them: those of the world, not the machine's. Code outside
 * of any logical process keeps the machine's own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { CRM, currentProcess, type LogicalProcess, type World } from './world.ts';

type Callback = (...args: unknown[]) => void;

/** What `setTimeout` and `setInterval` give. */
class LogicalTimer {
  readonly #world: World;
  readonly #process: LogicalProcess;
  readonly #callback: () => void;
  readonly #ms: number;
  readonly #isRepeated: boolean;
  #entry: { at: number; process: LogicalProcess; run(): void } | undefined;

  constructor(world: World, process: LogicalProcess, callback: () => void, ms: number, isRepeated: boolean) {
    this.#world = world;
    this.#process = process;
    this.#callback = callback;
    this.#ms = Math.max(1, Number.isFinite(ms) ? ms : 1);
    this.#isRepeated = isRepeated;
    this.refresh();
  }

  refresh(): this {
    this.close();
    if (this.#process.isGone) return this;
    this.#entry = {
      at: this.#world.now + this.#ms,
      process: this.#process,
      run: () => {
        this.close();
        if (this.#isRepeated) this.refresh();
        this.#callback();
      },
    };
    this.#world.timers.add(this.#entry);
    return this;
  }

  close(): void {
    if (this.#entry) this.#world.timers.delete(this.#entry);
    this.#entry = undefined;
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

/** Puts the world's clock, timers and randomness in the place of the machine's. @returns what puts those back */
export function installGlobals(world: World): () => void {
  const real = {
    ...{ Date, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate },
    random: Math.random,
    now: performance.now,
    randomUUID: crypto.randomUUID,
    randomBytes: crypto.randomBytes,
    sleep: timersPromises.setTimeout,
  };
  const nowOf = (process: LogicalProcess) => world.now + process.skew;
  const dateNow = () => {
    const process = currentProcess();
    return process ? nowOf(process) : real.Date.now();
  };
  const timer =
    (isRepeated: boolean, instead: (callback: Callback, ms?: number, ...args: unknown[]) => unknown) =>
    (callback: Callback, ms = 0, ...args: unknown[]) => {
      const process = currentProcess();
      if (!process || process === CRM) return instead(callback, ms, ...args);
      const run = AsyncLocalStorage.snapshot();
      return new LogicalTimer(world, process, () => run(() => callback(...args)), ms, isRepeated);
    };
  const clear = (instead: (timer: never) => void) => (given: unknown) =>
    given instanceof LogicalTimer ? given.close() : instead(given as never);
  const randomOf = () => (currentProcess() ? world.random() : real.random());
  const bytesOf = (count: number) => Buffer.from(Array.from({ length: count }, () => Math.floor(world.random() * 256)));

  Object.assign(globalThis, {
    Date: new Proxy(real.Date, {
      construct: (target, args) => (args.length === 0 ? new target(dateNow()) : Reflect.construct(target, args)),
      get: (target, name) => (name === 'now' ? dateNow : Reflect.get(target, name)),
    }),
    setTimeout: timer(false, real.setTimeout as never),
    setInterval: timer(true, real.setInterval as never),
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
    setImmediate: (callback: Callback, ...args: unknown[]) => {
      const process = currentProcess();
      if (!process || process === CRM) return real.setImmediate(callback, ...args);
      const run = AsyncLocalStorage.snapshot();
      const one = { process, run: () => run(() => callback(...args)) };
      world.soon.push(one);
      return one;
    },
    clearImmediate: (given: unknown) => {
      const place = world.soon.indexOf(given as never);
      if (place >= 0) world.soon.splice(place, 1);
      else real.clearImmediate(given as never);
    },
  });
  Math.random = randomOf;
  performance.now = () => (currentProcess() ? world.now : real.now.call(performance));
  Object.assign(crypto, {
    randomUUID: (options?: never) => {
      if (!currentProcess()) return real.randomUUID(options);
      const hex = bytesOf(16).toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
    randomBytes: (count: number, callback?: never) =>
      currentProcess() ? bytesOf(count) : real.randomBytes(count, callback as never),
  });
  Object.assign(timersPromises, {
    setTimeout: (ms: number, value?: unknown, options?: never) =>
      currentProcess()
        ? new Promise((resolve) => globalThis.setTimeout(() => resolve(value), ms))
        : real.sleep(ms, value, options),
  });
  syncBuiltinESMExports();

  return () => {
    const { random, now, randomUUID, randomBytes, sleep, ...plain } = real;
    Object.assign(globalThis, plain);
    Math.random = random;
    Reflect.deleteProperty(performance, 'now');
    Object.assign(crypto, { randomUUID, randomBytes });
    Object.assign(timersPromises, { setTimeout: sleep });
    syncBuiltinESMExports();
  };
}
