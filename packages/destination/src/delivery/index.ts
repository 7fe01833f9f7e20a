/**
 * What adapters share on the way from plans to outcomes: requests and their failures, jobs, people, records in waves,
 * owners, previews, what is remembered. Functions with narrow interfaces that an adapter calls; none of it is needed to
 * implement the port, and nothing here knows a vendor. What to take for what: docs/guide/new-destination.md.
 */
export * from './batches.ts';
export * from './error-table.ts';
export * from './field-decisions.ts';
export * from './findings.ts';
export * from './http-exchange.ts';
export * from './job.ts';
export * from './job-records.ts';
export * from './join-equal.ts';
export * from './json.ts';
export * from './known-people.ts';
export * from './known-person.ts';
export * from './new-people.ts';
export * from './outcome.ts';
export * from './owner-choice.ts';
export * from './owners.ts';
export * from './people-rounds.ts';
export * from './person-answer.ts';
export * from './person-fields.ts';
export * from './person-policy.ts';
export * from './preview-job.ts';
export * from './remembered.ts';
export * from './request-failure.ts';
export * from './said.ts';
export * from './same-phone.ts';
export * from './session.ts';
export * from './transport.ts';
export * from './write-jobs.ts';
