export * from './context.ts';
export * from './decision-words.ts';
export * from './destination.ts';
export * from './failure.ts';
export * from './memory-context.ts';
export * from './presets.ts';
export * from './who.ts';
