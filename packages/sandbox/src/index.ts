/**
 * Local stand-ins for the vendors' APIs, to run everything against without an account. They keep what is written to
 * them in memory, and are as strict as the vendors are known to be.
 */

export type { Fault, FaultKind, FaultSpec } from './control/faults.ts';
export type { RequestCounts, RequestEntry } from './control/request-log.ts';
export type { Seed } from './control/seed.ts';
export type { RecordState, State } from './control/state.ts';
export type { DemoStatus } from './demo/demo.ts';
export { personNumber } from './demo/people.ts';
export type { DemoSpec } from './demo/spec.ts';
export type { Effect, JournalEntry } from './journal.ts';
export type { SalesforceSeed } from './salesforce/seed.ts';
export type { SalesforceRecord } from './salesforce/state.ts';
export type { HubSpotSettings, Partially, SalesforceSettings, Settings } from './settings.ts';
export { type RunningSandbox, type StartOptions, startSandbox } from './start.ts';
export type { Agent as VoiceAgent, Call as VoiceCall } from './synthflow/call.ts';
export { singleOf, webhookOf } from './synthflow/shapes.ts';
