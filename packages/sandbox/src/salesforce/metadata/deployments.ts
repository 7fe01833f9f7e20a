/** Deployments of an org: they run on their own, and are asked how far they are. */
import { makeId } from '../ids.ts';
import type { Org } from '../org.ts';
import { notFound, Refusal } from '../refusal.ts';
import { type Component, deploy } from './deploy.ts';
import { readPackage } from './package.ts';

interface Deployment {
  id: string;
  components: Component[];
  checkOnly: boolean;
  problem?: string;
  /** Epoch ms from which on it is said to be done. */
  doneAt: number;
}

export class Deployments {
  readonly #org: Org;
  readonly #all = new Map<string, Deployment>();

  constructor(org: Org) {
    this.#org = org;
  }

  /** @returns its id */
  start(zip: string, checkOnly: boolean): string {
    const id = makeId('0Af', this.#all.size + 1);
    const doneAt = Date.now() + this.#org.settings.race_window;
    try {
      this.#all.set(id, { id, checkOnly, doneAt, components: deploy(this.#org, readPackage(zip), checkOnly) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#all.set(id, { id, checkOnly, doneAt, components: [], problem: error.message });
    }
    return id;
  }

  /** What the vendor says of it. @throws Refusal when there is none of that id */
  status(id: string, details: boolean): Record<string, unknown> {
    const found = this.#all.get(id);
    if (!found) throw notFound(`There is no deployment ${id}`);
    const { components, checkOnly, problem, doneAt } = found;
    const done = Date.now() >= doneAt;
    const failed = components.filter(({ success }) => !success);
    const success = done && problem === undefined && failed.length === 0;
    return {
      id,
      done,
      success,
      status: done ? (success ? 'Succeeded' : 'Failed') : 'InProgress',
      checkOnly,
      rollbackOnError: true,
      ignoreWarnings: false,
      runTestsEnabled: false,
      numberComponentsTotal: components.length,
      numberComponentsDeployed: done ? components.length - failed.length : 0,
      numberComponentErrors: done ? failed.length : 0,
      numberTestsTotal: 0,
      numberTestsCompleted: 0,
      numberTestErrors: 0,
      ...(done && problem !== undefined && { errorMessage: problem, errorStatusCode: 'UNKNOWN_EXCEPTION' }),
      ...(details &&
        done && {
          details: { componentSuccesses: components.filter(({ success: own }) => own), componentFailures: failed },
        }),
    };
  }
}
