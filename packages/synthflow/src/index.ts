export * from './api/index.ts';
export * from './payload.ts';
