export * from './intake.ts';
export * from './ledger-entry.ts';
