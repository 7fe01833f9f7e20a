/** What Synthflow sends, without the client of its API: loads in no time. */
export * from './fields/analysis.ts';
export * from './fields/end-reasons.ts';
export { readName } from './fields/names.ts';
export * from './fields/statuses.ts';
export { readTurns } from './fields/transcript.ts';
export * from './normalise.ts';
export * from './parse/call-id-reader.ts';
export { readCallId } from './parse/locate.ts';
export * from './parse/scan-json.ts';
export * from './revisions.ts';
export * from './sample-payload.ts';
export * from './signature.ts';
export * from './trim-payload.ts';
export * from './unproved.ts';
