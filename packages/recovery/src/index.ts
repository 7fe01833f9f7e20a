export * from './agents.ts';
export * from './api.ts';
export * from './bring-in.ts';
export * from './bytes-of.ts';
export * from './reconcile.ts';
export * from './runs.ts';
export * from './tally.ts';
