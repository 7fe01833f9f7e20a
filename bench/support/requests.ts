/** Calls of every kind of caller, what they cost, and the page that says so. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningSandbox } from '@wrapup/sandbox';
import { phoneOf } from '../../test/support/phone.ts';
import { makeCall, type Payload } from './calls.ts';

/**
 *   new         no person has the number: search, create
 *   known       a contact has the number, and Wrapup has not written to it of late: search, update
 *   remembered  Wrapup has written to the contact within the last quarter of an hour: no search
 *   repeat      the same calls once more, as a replay does: nothing may be there twice
 */
export const SCENARIOS = ['new', 'known', 'remembered', 'repeat'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface RequestFigures {
  calls: number;
  scenario: Scenario;
  requests: number;
  searches: number;
  seconds: number;
  /** MiB of the worker, the most that was seen. */
  memory?: number;
}

/** Calls of numbers that no other call has, and the contacts of those who are known. @param block another one for each size */
export function callsFor(sandbox: RunningSandbox, size: number, block: number): Record<Scenario, Payload[]> {
  const phones = (start: number) => Array.from({ length: size }, (_, n) => phoneOf(start * 10_000 + n));
  const [unknown, known] = [phones(2 * block), phones(2 * block + 1)];
  // Known by their mobile number only: the call has a number to fill in, so that the contact is updated.
  sandbox.control.seed({ records: { contacts: known.map((mobilephone) => ({ properties: { mobilephone } })) } });
  const call = (phone: string) => makeCall({ phone });
  const calls = unknown.map(call);
  return { new: calls, known: known.map(call), remembered: unknown.map(call), repeat: calls };
}

/** Each run begins with a full quota, and with a search that has seen everything. */
export function quotaIsBack(): Promise<void> {
  return pause(10_500);
}

export function count(sandbox: RunningSandbox): { requests: number; searches: number } {
  const { total, by_operation } = sandbox.control.requests();
  return { requests: total, searches: by_operation['contacts search'] ?? 0 };
}

/** Each call once, whatever happened. @throws when a record is there twice */
export function checkOnce(sandbox: RunningSandbox): void {
  for (const object of ['calls', 'tasks', 'contacts']) {
    const records = sandbox.records(object);
    const keys = new Set(records.map(({ id, properties }) => properties.wrapup_call_id ?? properties.wrapup_key ?? id));
    if (keys.size !== records.length) throw new Error(`${records.length} ${object} have ${keys.size} distinct keys`);
  }
}

export interface RequestPage {
  /** ISO 8601 date. */
  date: string;
  machine: string;
  whole: RequestFigures[];
  adapter: RequestFigures[];
}

/** bench/hubspot-requests.md, which bench/RESULTS.md takes in. */
export function renderRequests({ date, machine, whole, adapter }: RequestPage): string {
  return `# HubSpot, requests a call

Written by \`npm run bench:hubspot\`, counted by the sandbox as a Professional account: 190 requests in 10 s, 5 searches in 1 s (Wrapup takes 4), 40 ms for each answer. Every call leaves a task, and no person calls twice. \`new\`: no person has the number. \`known\`: a contact has it as its mobile number only, so that there is something to fill in, and Wrapup has not written to it of late. \`remembered\`: Wrapup has written to it within the last quarter of an hour. \`repeat\`: the same calls once more, as a replay does; nothing is there twice afterwards.

Measured on ${date}: ${machine}.

From webhook to the last record, through ingress, Redis and one worker. Calls come one by one over 50 connections, so the first batches are small.

${table(whole)}

The HubSpot adapter alone, its batches full (up to 100 calls), one after the other:

${table(adapter)}
`;
}

function table(rows: RequestFigures[]): string {
  const withMemory = rows.some(({ memory }) => memory !== undefined);
  const lines = rows.map(({ calls, scenario, requests, searches, seconds, memory }) => {
    const perCall = (requests / calls).toFixed(calls === 1 ? 0 : 3);
    const cells = [calls, scenario, requests, perCall, searches, seconds.toFixed(2)];
    return `| ${[...cells, ...(withMemory ? [memory?.toFixed(0) ?? ''] : [])].join(' | ')} |`;
  });
  return [
    `| calls | people | requests | per call | of them searches | seconds |${withMemory ? ' worker memory, MiB |' : ''}`,
    `| ---: | --- | ---: | ---: | ---: | ---: |${withMemory ? ' ---: |' : ''}`,
    ...lines,
  ].join('\n');
}
