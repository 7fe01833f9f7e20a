/** Deployments of an org: they run in the background, and a client polls their status. */

import { notFound, SalesforceRefusal } from '../http/refusal.ts';
import { makeId } from '../schema/ids.ts';
import { type Component, type DeployTarget, deploy } from './deploy.ts';
import { readPackage } from './package.ts';

interface Deployment {
  id: string;
  components: Component[];
  checkOnly: boolean;
  problem?: string;
  /** Epoch ms from which on its status is done. */
  doneAt: number;
}

export class Deployments {
  readonly #target: DeployTarget;
  readonly #durationMs: () => number;
  readonly #all = new Map<string, Deployment>();

  /** @param durationMs how long a deployment that starts now takes */
  constructor(target: DeployTarget, durationMs: () => number) {
    this.#target = target;
    this.#durationMs = durationMs;
  }

  /** @returns its id */
  start(zip: string, checkOnly: boolean): string {
    const id = makeId('0Af', this.#all.size + 1);
    const doneAt = Date.now() + this.#durationMs();
    try {
      this.#all.set(id, { id, checkOnly, doneAt, components: deploy(this.#target, readPackage(zip), checkOnly) });
    } catch (error) {
      if (!(error instanceof SalesforceRefusal)) throw error;
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
