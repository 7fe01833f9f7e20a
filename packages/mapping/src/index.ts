export * from './compiled.ts';
export * from './dialect.ts';
export * from './finding.ts';
export * from './plan.ts';
