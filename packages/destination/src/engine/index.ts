/** The write engine. What an adapter brings to it: `record-verbs.ts`. */
export * from './plan-write.ts';
export * from './records/key-strategy.ts';
export * from './records/record-verbs.ts';
export * from './records/row.ts';
export * from './records/write-records.ts';
export * from './records/write-rows.ts';
