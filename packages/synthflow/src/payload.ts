/** What Synthflow sends, without the client of its API: loads in no time. */
export * from './analysis.ts';
export * from './call-id-reader.ts';
export * from './end-reasons.ts';
export { readCallId } from './locate.ts';
export { readName } from './names.ts';
export * from './normalise.ts';
export * from './revisions.ts';
export * from './sample-payload.ts';
export * from './scan-json.ts';
export * from './signature.ts';
export * from './statuses.ts';
export { readTurns } from './transcript.ts';
export * from './trim-payload.ts';
export * from './unproved.ts';
