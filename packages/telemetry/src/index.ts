export * from './address.ts';
export * from './health.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './redaction.ts';
export * from './serve.ts';
export * from './shutdown.ts';
export * from './start.ts';
