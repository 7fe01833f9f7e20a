/** Requests to a CRM: one at a time, each with a deadline, their failures classified, their costs counted. */

export * from './http-exchange.ts';
export * from './request-failure.ts';
export { timeRequest } from './request-timer.ts';
export * from './transport.ts';
