export * from './backoff.ts';
export * from './coalescer.ts';
export * from './sweep.ts';
export * from './worker.ts';
