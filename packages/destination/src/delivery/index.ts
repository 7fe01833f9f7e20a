/**
 * What adapters share on the way from plans to outcomes: jobs, the requests they share, the person policy, what is
 * remembered. Nothing here knows a vendor.
 */
export * from './error-table.ts';
export * from './give-owners.ts';
export * from './http-exchange.ts';
export * from './job.ts';
export * from './join-equal.ts';
export * from './json.ts';
export * from './outcome.ts';
export * from './owner-choice.ts';
export * from './people-rounds.ts';
export * from './person-policy.ts';
export * from './remembered.ts';
export * from './request-failure.ts';
export * from './same-phone.ts';
export * from './session.ts';
export * from './transport.ts';
