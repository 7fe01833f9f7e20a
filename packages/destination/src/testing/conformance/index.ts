/**
 * The promises of the port, as tests that know no vendor. An adapter passes them against its CRM's stand-in over real
 * sockets; what only that CRM knows (its faults, its effects, its property names) comes in through the harness.
 *
 * Kept out of the package's index, so that importing the port does not load the test runner.
 */
import { describe } from 'vitest';
import { colleagues } from './colleagues.ts';
import { exactlyOnce } from './exactly-once.ts';
import { failures } from './failures.ts';
import { find } from './find.ts';
import { findOpen } from './find-open.ts';
import { type Harness, useAccount } from './harness.ts';
import { ownKeys } from './own-keys.ts';
import { owners } from './owners.ts';
import { people } from './people.ts';
import { related } from './related.ts';
import { said } from './said.ts';
import { trips } from './trips.ts';

export type {
  Effects,
  Harness,
  LowerStep,
  RelatedKind,
  TestAccount,
  Trouble,
  TroubleMoment,
  WorkedOnKind,
} from './harness.ts';
export { deliver, failure, ids, planFor, reached, write } from './harness.ts';

export function describeDestination(name: string, harness: Harness): void {
  describe(`${name}: exactly one effect`, () => exactlyOnce(useAccount(harness)));
  for (const step of harness.ladder ?? [])
    describe(`${name}: exactly one effect, step ${step} of the key ladder`, () =>
      exactlyOnce(useAccount(harness, step), step));
  describe(`${name}: the right person`, () => people(useAccount(harness)));
  describe(`${name}: in as few trips as it takes`, () => trips(useAccount(harness)));
  describe(`${name}: what a caller only says`, () => said(useAccount(harness)));
  describe(`${name}: what colleagues changed`, () => colleagues(useAccount(harness)));
  // A group without a case is an error, and not every CRM has such records.
  if (harness.kinds.some(({ findable }) => findable))
    describe(`${name}: records that are there`, () => find(useAccount(harness)));
  if (harness.kinds.some(({ closes, found_by }) => closes || found_by))
    describe(`${name}: records that are found by what they are`, () => findOpen(useAccount(harness)));
  if (harness.kinds.some(({ type }) => type === 'object'))
    describe(`${name}: records with a key of their own`, () => ownKeys(useAccount(harness)));
  const kind = harness.related;
  if (kind) describe(`${name}: what people have already`, () => related(useAccount(harness), kind));
  describe(`${name}: whom records belong to`, () => owners(useAccount(harness)));
  describe(`${name}: every plan accounted for`, () => failures(useAccount(harness)));
}
