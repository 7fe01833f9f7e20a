/**
 * The write engine, which every CRM adapter goes through. What an adapter brings: `adapter.ts`. How to write one:
 * docs/guide/new-destination.md.
 */
export * from './adapter.ts';
export * from './fields.ts';
export * from './owners/check-owners.ts';
export * from './owners/owners.ts';
export * from './people/look-up-people.ts';
export * from './people/person-cache.ts';
export * from './people/person-policy.ts';
export * from './people/person-verbs.ts';
export * from './people/person-write.ts';
export * from './people/phone-match.ts';
export * from './people/said.ts';
export * from './plan-write.ts';
export * from './preview/find.ts';
export * from './preview/preview.ts';
export * from './records/batches.ts';
export * from './records/key-strategy.ts';
export * from './records/record-verbs.ts';
export * from './records/row.ts';
export * from './records/write-rows.ts';
export * from './write.ts';
