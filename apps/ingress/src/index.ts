export { type CallerLookup, openCallerLookup } from './inbound/caller-lookup.ts';
export { createIngress } from './ingress.ts';
export { type IngressOptions, readOptions } from './options.ts';
