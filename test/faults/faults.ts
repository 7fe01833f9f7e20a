/** All that goes wrong, one entry a fault, in the order of the table. Each acts while calls come in, at moments that the seed chooses. */
import { pick, type Random } from '../support/random.ts';
import { CRM_FAULTS } from './kinds/crm.ts';
import { NETWORK_FAULTS } from './kinds/network.ts';
import { OPERATOR_FAULTS } from './kinds/operators.ts';
import { PROCESS_FAULTS } from './kinds/processes.ts';
import { REDIS_FAULTS } from './kinds/redis.ts';
import type { Fault } from './kinds/scene.ts';

/** The measure of the others: what takes how long where nothing goes wrong. */
const NOTHING: Fault = {
  name: 'nothing',
  what: 'Nothing goes wrong: the measure of all others',
  alone: 'the other half would be alone',
  act: async () => {},
};

export const FAULTS: Fault[] = [
  NOTHING,
  ...PROCESS_FAULTS,
  ...REDIS_FAULTS,
  ...NETWORK_FAULTS,
  ...CRM_FAULTS,
  ...OPERATOR_FAULTS,
];

/** Two different ones that can be halves of a pair. */
export function choosePair(random: Random): [Fault, Fault] {
  const halves = FAULTS.filter(({ alone }) => alone === undefined);
  const one = pick(random, halves);
  return [
    one,
    pick(
      random,
      halves.filter((half) => half !== one),
    ),
  ];
}
