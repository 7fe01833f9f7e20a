export { type Callers, openCallers } from './inbound/callers.ts';
export { createIngress, type IngressParts, observe } from './ingress.ts';
export { DEFAULT_OPTIONS, type IngressOptions, readOptions } from './options.ts';
