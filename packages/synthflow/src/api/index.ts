export * from './client.ts';
export { SynthflowApiError } from './failure.ts';
export type { ApiOptions, Ask } from './transport.ts';
