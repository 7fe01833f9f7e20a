/**
 * Whether the model can do what happened in a run: each change to each call and connection, from Redis' append-only file, is
 * taken by the acceptor of docs/model/wrapup.qnt; and what the CRMs hold is what attempts of the journal can have made.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type Acceptance, CallAcceptor } from '../model/accept.ts';
import { ConnectionAcceptor } from '../model/accept-connection.ts';
import { JournalReader, type Observed, readSteps } from '../model/journal.ts';
import { viewCrms } from './check.ts';
import type { FaultSystem } from './system.ts';
import type { SentCall } from './workload.ts';

export interface JournalFigures {
  calls: number;
  /** Changes to them that were looked at. */
  states: number;
}

interface JournalVerdict {
  figures: JournalFigures;
  /** What the model could not have done, one line each. */
  refused: string[];
}

/** As routes are configured: `retries.attempts`. */
const ATTEMPTS = 10;
/** Which route writes to which CRM. */
const ROUTES: Record<string, string> = { HubSpot: 'sales-calls', Salesforce: 'org-calls' };

interface Followed {
  acceptor: { accept(state: unknown): Acceptance };
  states: number;
  steps: Set<string>;
  /** What was not accepted; what comes after it says nothing. */
  refused?: string;
}

/** Follows the journal of one installation through its runs. */
export class JournalCheck {
  readonly #system: FaultSystem;
  readonly #reader: JournalReader;
  readonly #file: string;
  readonly #followed = new Map<string, Followed>();
  #read = 0;

  constructor(system: FaultSystem) {
    this.#system = system;
    this.#reader = new JournalReader(system.store.keys, 'main');
    this.#file = system.redis.appending.file;
  }

  /** Once nothing of these calls is on its way. @returns undefined where a replica has taken over, whose file begins later */
  check(sent: readonly SentCall[]): JournalVerdict | undefined {
    if (this.#system.redis.appending.file !== this.#file) return undefined;
    this.#follow();
    const refused: string[] = [];
    for (const [name, followed] of this.#followed) {
      if (followed.refused === undefined || !name.startsWith('connection ')) continue;
      refused.push(`${name}: ${followed.refused}`);
      this.#followed.delete(name);
    }
    const figures: JournalFigures = { calls: 0, states: 0 };
    for (const call of sent) {
      const followed = this.#followed.get(`call ${call.id}`);
      if (followed) {
        figures.calls += 1;
        figures.states += followed.states;
        if (followed.refused !== undefined) refused.push(`${call.id}: the model does not do that: ${followed.refused}`);
      } else if (call.acknowledged) refused.push(`${call.id}: acknowledged, and not in the journal`);
    }
    return { figures, refused: [...refused, ...this.#findUnexplained(sent)] };
  }

  /** What the CRMs hold that no attempt made, and what counts as written and is in none. */
  #findUnexplained(sent: readonly SentCall[]): string[] {
    return viewCrms(this.#system).flatMap(({ name, created, logs }) => {
      const route = ROUTES[name] ?? '';
      return sent.flatMap(({ id }) => {
        const followed = this.#followed.get(`call ${id}`);
        const has = (step: string) => followed?.steps.has(`${step} ${route}`);
        if ((created.get(`main:${id}`) ?? 0) > 0 && !has('begin'))
          return [`${id}: ${name} has it, and no attempt began`];
        if (has('note written') && !logs.has(`main:${id}`))
          return [`${id}: noted as written, and ${name} does not have it`];
        return [];
      });
    });
  }

  #follow(): void {
    const { bytes } = this.#system.redis.appending;
    const fresh = Buffer.alloc(bytes - this.#read);
    const file = openSync(this.#file, 'r');
    readSync(file, fresh, 0, fresh.length, this.#read);
    closeSync(file);
    this.#read = bytes;
    for (const step of readSteps(fresh)) for (const observed of this.#reader.read(step)) this.#take(observed);
  }

  #take(observed: Observed): void {
    const name = observed.of === 'call' ? `call ${observed.call}` : `connection ${observed.connection}`;
    const followed = this.#followed.get(name) ?? begin(observed);
    this.#followed.set(name, followed);
    if (followed.refused !== undefined) return;
    followed.states += 1;
    const answer = followed.acceptor.accept(observed.state);
    if ('refused' in answer) followed.refused = answer.refused;
    else for (const step of answer.steps) followed.steps.add(step);
  }
}

function begin({ of }: Observed): Followed {
  const acceptor = of === 'call' ? new CallAcceptor({ attempts: ATTEMPTS }) : new ConnectionAcceptor();
  return { acceptor: acceptor as Followed['acceptor'], states: 0, steps: new Set() };
}
