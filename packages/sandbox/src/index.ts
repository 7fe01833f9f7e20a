/**
 * Local stand-ins for the vendors' APIs, to run everything against without an account. They keep what is written to
 * them in memory, and are as strict as the vendors are known to be.
 */

export type { FaultKind, FaultSpec } from './control/faults.ts';
export type { RecordState } from './control/state.ts';
export { personNumber } from './demo/people.ts';
export { describeAnswers, type LiveAnswer, SANDBOX_RULES } from './rules/page.ts';
export { SALESFORCE_YEARS } from './salesforce/http/forms.ts';
export type { SalesforceRecord } from './salesforce/state.ts';
export { FORMS, type Forms, type Partially, type SalesforceSandboxSettings, type Settings } from './settings.ts';
export { type RunningSandbox, type StartOptions, startSandbox } from './start.ts';
export type { VoiceCall } from './synthflow/call.ts';
export { singleOf, webhookOf } from './synthflow/shapes.ts';
