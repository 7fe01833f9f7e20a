export * from './client.ts';
export { type ApiFailureCode, SynthflowApiError } from './failure.ts';
export { mergeRecords, timesOf } from './records.ts';
export { type ApiOptions, type Ask, HOSTS, type Region } from './transport.ts';
