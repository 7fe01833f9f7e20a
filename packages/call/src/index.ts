export * from './addresses.ts';
export * from './empty-call.ts';
export * from './json.ts';
export * from './model.ts';
export * from './outcome.ts';
export * from './person-key.ts';
export * from './phone.ts';
