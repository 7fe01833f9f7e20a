export { type CallerLookup, openCallerLookup } from './inbound/caller-lookup.ts';
export { createIngress, type IngressParts, observe } from './ingress.ts';
export { DEFAULT_OPTIONS, type IngressOptions, readOptions } from './options.ts';
