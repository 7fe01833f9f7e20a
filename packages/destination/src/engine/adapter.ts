/**
 * What an adapter brings for one call of `write`, `find` or `preview`: its CRM's own verbs, which answer row by row, and its
 * rules. Everything else, rounds, drop-and-retry, keys, watermarks, remembered ids, owners and previews, is the engine's.
 */
import type { Preview } from '../port/destination.ts';
import type { OwnerSource } from './owners/owners.ts';
import type { PeopleVerbs } from './people/person-verbs.ts';
import type { PlanWrite } from './plan/plan-write.ts';
import type { RecordVerbs } from './records/record-verbs.ts';

/** By name of the field: what people call it, and its options by value. */
export type FieldLabels = ReadonlyMap<string, { label: string; options: ReadonlyMap<string, string> }>;

export interface CrmAdapter {
  readonly people: PeopleVerbs;
  readonly records: RecordVerbs;
  readonly owners: OwnerSource;
  /** Requests that `write` would spend on this plan alone, beyond looking its person up. */
  estimate(write: PlanWrite, records: Preview['records']): number;
  /** What people call the fields of these objects, for previews. Objects that cannot be read are left out. Never rejects. */
  describeFields?(objects: readonly string[]): Promise<ReadonlyMap<string, FieldLabels>>;
  /** Whether ids and addresses are looked for by one request. */
  readonly reads_together: boolean;
}
