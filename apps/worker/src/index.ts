export * from './bullmq/backoff.ts';
export * from './deliveries/delivery-batcher.ts';
export * from './upkeep/sweep.ts';
export * from './worker.ts';
