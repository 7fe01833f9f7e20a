export * from './analysis.ts';
export * from './empty-call.ts';
export * from './find-addresses.ts';
export * from './json.ts';
export * from './model.ts';
export * from './outcome.ts';
export * from './person-key.ts';
export * from './phone.ts';
