export * from './model.ts';
export * from './outcome.ts';
export * from './phone.ts';
