/**
 * The decisions of one run, in the order in which they are asked for. Each is a number of which 0 means: go on as if nothing
 * were wrong. So a run with fewer other numbers is a simpler one, which is how a failing run is shrunk.
 */
import type { Random } from '../support/random.ts';

/** Decisions are numbers below this. */
const RANGE = 65_536;

/** What may happen next; the first one is what happens where nothing is wrong. */
export interface Option {
  /** How often it is taken, beside the others. A whole number from 1. */
  weight: number;
  run(): Promise<void> | void;
}

export class Decisions {
  /** Those that were asked for so far. */
  readonly taken: number[] = [];
  readonly #next: (index: number) => number;
  /** While it is, every decision is 0, and none is noted. */
  isCalm = false;

  /** @param next the number of a decision, by its place */
  constructor(next: (index: number) => number) {
    this.#next = next;
  }

  static random(random: Random): Decisions {
    return new Decisions(() => Math.floor(random() * RANGE));
  }

  /** @param weights of the choices, at least one */
  choose(weights: readonly number[]): number {
    if (weights.length < 2 || this.isCalm) return 0;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const number = this.#next(this.taken.length);
    this.taken.push(number);
    let left = Math.floor((number / RANGE) * total);
    const chosen = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return Math.max(0, chosen);
  }

  pick<Choice extends { weight: number }>(choices: readonly Choice[]): Choice {
    return choices[this.choose(choices.map(({ weight }) => weight))] as Choice;
  }
}
