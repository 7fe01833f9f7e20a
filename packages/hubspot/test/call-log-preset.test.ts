import { type Call, emptyCall, OUTCOMES, type Outcome } from '@wrapup/call';
import { compileSample } from '@wrapup/destination/sample-mapping';
import type { Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { hubspotDialect } from '../src/dialect.ts';

const compile = (text: string) => compileSample(hubspotDialect, text);

const preset = compile('extends: hubspot/call-log\n');

function call(changes: Partial<Call> = {}): Call {
  return emptyCall({
    id: 'c-1',
    source: 'main',
    started_at: '2026-11-20T18:04:12.000Z',
    ended_at: '2026-11-20T18:06:26.000Z',
    duration: 134.2,
    lead: { phone: '+14155550142' },
    ...changes,
  });
}

function fields(plan: Plan, record: string): Record<string, unknown> {
  const found = plan.records.find(({ name }) => name === record);
  return Object.fromEntries((found?.fields ?? []).map(({ name, value }) => [name, value]));
}

const CONNECTED = 'f240bbac-87c9-4f6e-bf70-924b57d47db7';
const LEFT_VOICEMAIL = 'b2cf5968-551e-4856-9783-52b3da59a7d0';
const NO_ANSWER = '73a0d17f-1163-4015-bdd5-ec830791da20';
const BUSY = '9d9162e7-6cf3-4944-bf63-4dff82258764';

/** What HubSpot shows for each outcome, whether an unknown caller becomes a contact, and whether a task follows. */
const BY_OUTCOME: Record<Outcome, [string | undefined, string | undefined, string, number]> = {
  connected: ['COMPLETED', CONNECTED, 'create', 0],
  voicemail_left: ['COMPLETED', LEFT_VOICEMAIL, 'log_only', 1],
  voicemail: ['NO_ANSWER', NO_ANSWER, 'log_only', 1],
  no_answer: ['NO_ANSWER', NO_ANSWER, 'log_only', 1],
  busy: ['BUSY', BUSY, 'log_only', 1],
  failed: ['FAILED', undefined, 'log_only', 0],
  canceled: ['CANCELED', undefined, 'log_only', 0],
  spam: ['COMPLETED', undefined, 'log_only', 0],
  in_progress: ['IN_PROGRESS', undefined, 'log_only', 0],
  unknown: [undefined, undefined, 'log_only', 0],
};

test.each(OUTCOMES)('a call that was %s', (outcome) => {
  const plan = preset.plan(call({ outcome }), 'sales');
  const [status, disposition, unmatched, tasks] = BY_OUTCOME[outcome];
  const log = fields(plan, 'call_log');
  expect([log.hs_call_status, log.hs_call_disposition]).toEqual([status, disposition]);
  expect(plan.person?.unmatched).toBe(unmatched);
  expect(plan.records.filter(({ type }) => type === 'task')).toHaveLength(tasks);
});

test('a call log in HubSpot’s own units and words', () => {
  const recording_url = 'https://recordings.example.com/1.mp3';
  const numbers = { from_number: '+14155550100', to_number: '+14155550142' };
  const plan = preset.plan(call({ direction: 'outbound', recording_url, ...numbers }), 'sales');
  expect(fields(plan, 'call_log')).toMatchObject({
    hs_call_title: 'Outbound call: Connected',
    hs_timestamp: '2026-11-20T18:04:12.000Z',
    hs_call_duration: 134_200,
    hs_call_direction: 'OUTBOUND',
    hs_call_from_number: '+14155550100',
    hs_call_to_number: '+14155550142',
    hs_call_recording_url: recording_url,
  });
  expect(fields(preset.plan(call(), 'sales'), 'call_log').hs_call_title).toBe('Phone call: Connected');
});

test('who asked for a call back gets a task for the next business day, with the call in it', () => {
  const vars = { wants_callback: 'true', topic: 'renewal' };
  const task = fields(preset.plan(call({ vars }), 'sales'), 'call-back');
  expect(task).toMatchObject({
    hs_task_subject: 'Call +14155550142 back',
    hs_timestamp: '2026-11-23T18:06:26.000Z',
    hs_task_priority: 'MEDIUM',
    hs_task_status: 'NOT_STARTED',
    hs_task_type: 'CALL',
  });
  expect(task.hs_task_body).toContain('Topic: renewal');
});

test('a contact is only completed, never overwritten', () => {
  const lead = {
    name: 'Dana Example',
    first_name: 'Dana',
    last_name: 'Example',
    email: 'dana@example.com',
    phone: '+1',
  };
  const { person } = preset.plan(call({ lead }), 'sales');
  expect(person?.fields.map(({ name, write }) => [name, write])).toEqual([
    ['firstname', 'if_empty'],
    ['lastname', 'if_empty'],
    ['phone', 'if_empty'],
    ['email', 'if_empty'],
  ]);
});

test('an hour of talk fits into the body, and what is cut is counted', () => {
  const turns = [{ speaker: 'human' as const, text: 'words & more '.repeat(20_000) }];
  const body = String(fields(preset.plan(call({ turns }), 'sales'), 'call_log').hs_call_body);
  expect(body.length).toBeLessThanOrEqual(65_536);
  expect(body).toMatch(/ … \[\d+ more characters\]$/);
});

test('what the comments of the preset promise holds', () => {
  const text = hubspotDialect.presets['call-log']?.() ?? '';
  const examples = [...text.matchAll(/^# {3}(\S.*?)\s{2,}\S.*$/gm)].map(([, example]) => example as string);
  expect(examples).toHaveLength(6);
  for (const example of examples) compile(`extends: hubspot/call-log\n${example}\n`);
  compile('extends: hubspot/call-log\nperson: { unmatched: { voicemail_left: create } }\n');
  compile('extends: hubspot/call-log\ncall_log: { fields: { hs_call_disposition: { map: { spam: abc } } } }\n');
});

test('custom objects are named by their type id', () => {
  const text = 'objects: [ { name: visit, object: 2-3453932, fields: { asked_at: call.ended_at } } ]\n';
  expect(compile(text).plan(call(), 'sales').records).toMatchObject([{ type: 'object', object: '2-3453932' }]);
});
