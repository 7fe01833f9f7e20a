/**
 * What an adapter brings for one call of `write`, `find` or `preview`: its CRM's own verbs, which answer row by row, and its
 * rules. Everything else, rounds, drop-and-retry, keys, watermarks, remembered ids, owners and previews, is the engine's.
 */
import type { Preview } from '../port/destination.ts';
import type { OwnerSource } from './owners/owners.ts';
import type { PeopleVerbs } from './people/person-verbs.ts';
import type { PlanWrite } from './plan/plan-write.ts';
import type { RecordVerbs } from './records/record-verbs.ts';

export interface CrmAdapter {
  readonly people: PeopleVerbs;
  readonly records: RecordVerbs;
  readonly owners: OwnerSource;
  /** Requests that `write` would spend on this plan alone, beyond looking its person up. */
  estimate(write: PlanWrite, records: Preview['records']): number;
  /** Whether ids and addresses are looked for by one request. */
  readonly reads_together: boolean;
}
