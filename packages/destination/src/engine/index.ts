/**
 * The write engine, which every CRM adapter goes through. What an adapter brings: `adapter.ts`. How to write one:
 * docs/guide/new-destination.md.
 */
export * from './adapter.ts';
export * from './owners/owners.ts';
export * from './people/match-people.ts';
export * from './people/person-cache.ts';
export * from './people/person-verbs.ts';
export * from './people/person-write.ts';
export { judgeClaim } from './people/said-addresses.ts';
export * from './plan/plan-write.ts';
export * from './records/record-verbs.ts';
export * from './rows/row.ts';
export * from './rows/write-rows.ts';
export { writtenMemories } from './rows/written-values.ts';
export * from './write.ts';
