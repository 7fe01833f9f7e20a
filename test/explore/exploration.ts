/**
 * One run: logical processes on the product's own scripts, ledger, queues and write engine, and a scheduler that decides at each
 * point where one of them has sent something who goes on, and what goes wrong. The same seed gives the same run.
 */
import { hash } from 'node:crypto';
import { makeRandom } from '../support/random.ts';
import { Decisions } from './decisions.ts';
import { checkEnd, checkMoment, isQueueRight, isSettled } from './stage/invariants.ts';
import { observe, observeCrm } from './stage/observe.ts';
import { type Ground, Stage } from './stage/stage.ts';
import type { LogEntry } from './world/world.ts';

export interface RunOptions {
  seed: number;
  /** Steps in which things go wrong; then everything is repaired, and has to come to rest. */
  steps: number;
  /** In place of those that the seed gives; beyond them nothing goes wrong. */
  decisions?: readonly number[];
  /** Places of events that do not happen. */
  without?: ReadonlySet<number>;
  /** What has to hold besides, of what happened so far. @returns what is broken */
  further?(log: readonly LogEntry[]): string[];
}

export interface Run {
  seed: number;
  steps: number;
  /** What is broken: none where everything holds. */
  violations: string[];
  decisions: number[];
  /** What happened, in its order. */
  log: LogEntry[];
  /** Digest of the log. */
  digest: string;
  /** How often each thing went wrong. */
  troubles: Map<string, number>;
  /** Events of the workload. */
  events: number;
}

/** Ms that pass with each step. */
const STEP_MS = 1;
/** Steps until what was repaired has to have come to rest. */
const MAX_CALM_STEPS = 20_000;
/** Between two looks, ms: the first are for what comes again within seconds, the last for what waits for a probe. */
const REST_MS = [1_000, 6_000, 12_000, 61_000];
const MAX_ROUNDS = 60;

/** @param ground begins anew with each run */
export async function explore(ground: Ground, options: RunOptions): Promise<Run> {
  const { seed, decisions: given, without = new Set() } = options;
  const decisions = given ? new Decisions((index) => given[index] ?? 0) : Decisions.random(makeRandom(seed + 0x5eed));
  const stage = new Stage(ground, seed, decisions, without);
  await stage.open();
  try {
    const { steps, violations } = await new Exploration(ground, stage, decisions, options).run();
    const { log } = stage.world;
    return {
      ...{ seed, steps, violations, log, decisions: decisions.taken, troubles: stage.troubles },
      digest: hash('sha256', JSON.stringify(log)).slice(0, 16),
      events: stage.workload.events.length,
    };
  } finally {
    stage.close();
  }
}

class Exploration {
  readonly #ground: Ground;
  readonly #stage: Stage;
  readonly #decisions: Decisions;
  readonly #options: RunOptions;
  #steps = 0;
  #violations: string[] = [];

  constructor(ground: Ground, stage: Stage, decisions: Decisions, options: RunOptions) {
    this.#ground = ground;
    this.#stage = stage;
    this.#decisions = decisions;
    this.#options = options;
  }

  async run(): Promise<{ steps: number; violations: string[] }> {
    await this.#stage.world.settle();
    this.#decisions.isCalm = true;
    await this.#whileBusy(false);
    const begun = this.#steps;
    this.#decisions.isCalm = false;
    while (this.#steps < begun + this.#options.steps && this.#violations.length === 0) {
      const options = this.#stage.options();
      if (options.length === 0 && this.#stage.events.length === 0 && !this.#stage.isBusy) break;
      const calm = options.length > 0 ? options : [{ weight: 128, run: () => this.#stage.passToTimer() }];
      await this.#take([...calm, ...this.#stage.troublesNow()]);
    }
    if (this.#violations.length === 0) await this.#comeToRest();
    return { steps: this.#steps, violations: this.#violations };
  }

  async #take(options: { weight: number; run(): Promise<void> | void }[]): Promise<void> {
    const { world } = this.#stage;
    this.#steps += 1;
    world.now += STEP_MS;
    await this.#stage.gate.tick();
    await this.#decisions.pick(options).run();
    await world.settle();
    this.#stage.runner.sendAgain();
    const seen = await this.#stage.observed();
    if (seen) this.#violations = checkMoment(seen, this.#stage.promised);
    if (this.#violations.length === 0) this.#violations = this.#options.further?.(world.log) ?? [];
  }

  async #comeToRest(): Promise<void> {
    const { world } = this.#stage;
    this.#decisions.isCalm = true;
    this.#stage.repair();
    world.note({ what: 'everything is repaired' });
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      await this.#whileBusy();
      if (this.#violations.length > 0) return;
      const seen = await observe(this.#ground.redis, world.now);
      if (seen.connection.operator) this.#stage.runner.operate('resume');
      else if (seen.jobs.size === 0 && seen.calls.every(isSettled) && isQueueRight(seen)) break;
      else if (round > 3) this.#stage.runner.sweep();
      await this.#stage.pass(REST_MS[Math.min(round, REST_MS.length - 1)] as number, 'nothing is under way');
    }
    this.#violations = checkEnd(
      await observe(this.#ground.redis, world.now),
      observeCrm(this.#ground.sandbox),
      this.#stage.promised,
    );
  }

  /** @param withEvents those of the workload that are left happen, too */
  async #whileBusy(withEvents = true): Promise<void> {
    for (let steps = 0; this.#violations.length === 0; steps += 1) {
      if (steps > MAX_CALM_STEPS) {
        this.#violations = ['rest: what was repaired does not come to rest'];
        return;
      }
      const options = this.#stage.options(withEvents);
      if (options.length > 0) await this.#take(options);
      else if (this.#stage.isBusy) await this.#take([{ weight: 1, run: () => this.#stage.passToTimer() }]);
      else return;
    }
  }
}
