export * from './analysis.ts';
export * from './end-reasons.ts';
export { readCallId } from './locate.ts';
export * from './normalise.ts';
export * from './revisions.ts';
export * from './sample-payload.ts';
export * from './signature.ts';
export * from './statuses.ts';
export * from './trim-payload.ts';
