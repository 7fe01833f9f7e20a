export * from './port/context.ts';
export * from './port/destination.ts';
export * from './port/digest.ts';
export * from './port/failure.ts';
export * from './port/omission.ts';
export * from './port/presets.ts';
export * from './port/receipt.ts';
export { withDeadline } from './port/with-deadline.ts';
export * from './testing/memory-context.ts';
