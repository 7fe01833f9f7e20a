/** Guards of the model that are taken away one by one, to see that the invariant which needs each can fail. */
import { readFileSync } from 'node:fs';
import { type INVARIANTS, MODEL } from './quint.ts';

export interface ModelPlant {
  /** The guard that is gone. */
  what: string;
  /** What breaks without it. */
  breaks: (typeof INVARIANTS)[number];
  /** Stands in the model once. */
  find: string;
  replace: string;
  /** With which its first trace breaks it, as Quint said; where that is missing or does not any more, others follow. */
  seed?: number;
}

export const MODEL_PLANTS: ModelPlant[] = [
  {
    what: 'What is acknowledged was kept before',
    breaks: 'kept',
    find: '{ kept: true, at: clock - lag, effect: "" }',
    replace: '{ kept: not(answered), at: clock - lag, effect: "" }',
  },
  {
    what: 'A record has a unique key',
    breaks: 'once',
    find: 'if (commits and records.get(p) == 0) records.set',
    replace: 'if (commits) records.set',
  },
  {
    what: 'A delivery that is replayed makes its call open again',
    breaks: 'shown',
    find: 'open.union(Set(p._1)),\n      deliveryJobs',
    replace: 'open,\n      deliveryJobs',
  },
  {
    what: 'What is parked or dead is listed in the step that notes it',
    breaks: 'shown',
    find: 'listed.union(Set((h.call, h.route, state))) else listed',
    replace: 'listed else listed',
  },
  {
    what: 'A worker looks before it sends whether the delivery is still its own',
    breaks: 'newer',
    find: 'if (outdated or busy) NO_HAND else',
    replace: 'if (false) NO_HAND else',
    seed: 0x65ae72,
  },
  {
    what: 'An older revision takes no delivery from a newer one',
    breaks: 'newer',
    find: '(park or at >= d.revised)',
    replace: 'true',
    seed: 0x31e23,
  },
  {
    what: 'The second operator who pauses does not become the owner',
    breaks: 'owned',
    find: 'if (conn.operator == "") { ...conn, operator: who } else conn',
    replace: '{ ...conn, operator: who }',
  },
  {
    what: 'An operator who resumes leaves the pause of the circuit',
    breaks: 'owned',
    find: '{ ...conn, operator: "", next',
    replace: '{ ...conn, operator: "", circuit: "closed", next',
  },
];

/** @returns the text of the model without a guard. @throws Error where the guard does not stand there once */
export function withoutGuard({ what, find, replace }: ModelPlant): string {
  const text = readFileSync(MODEL, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`"${what}": the model has "${find}" not once.`);
  return text.replace(find, () => replace);
}
