import { OUTCOMES, type Outcome } from '@wrapup/call';
import { planFor } from '@wrapup/destination/conformance';
import { compileSample, mistakeAt } from '@wrapup/destination/sample-mapping';
import type { Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { salesforceDialect } from '../src/dialect.ts';
import { salesforceHarness } from './salesforce-harness.ts';

const compile = (text: string) => compileSample(salesforceDialect, text);

/** Call result, whether an unknown caller becomes a lead (of either preset), the lead's status, and whether a task follows. */
const BY_OUTCOME: Record<Outcome, [string | undefined, string, string, string | undefined, number]> = {
  connected: ['Connected', 'create', 'create', 'Working - Contacted', 0],
  voicemail_left: ['Left Voicemail', 'log_only', 'create', undefined, 1],
  voicemail: ['Reached Voicemail', 'log_only', 'log_only', undefined, 1],
  no_answer: ['No Answer', 'log_only', 'log_only', undefined, 1],
  busy: ['Busy', 'log_only', 'log_only', undefined, 1],
  failed: ['Failed', 'log_only', 'log_only', undefined, 0],
  canceled: ['Canceled', 'log_only', 'log_only', undefined, 0],
  spam: ['Spam', 'log_only', 'log_only', undefined, 0],
  in_progress: ['In Progress', 'log_only', 'log_only', undefined, 0],
  unknown: [undefined, 'log_only', 'log_only', undefined, 0],
};

const presets = { log: compile('extends: salesforce/call-log\n'), lead: compile('extends: salesforce/lead-capture\n') };
const fieldOf = (fields: Plan['records'][number]['fields'] | undefined, name: string) =>
  fields?.find((field) => field.name === name)?.value;

test.each(OUTCOMES)('a call that was %s', (outcome) => {
  const call = { ...planFor(salesforceHarness, { id: 'c', phone: '+14155550142' }).call, outcome };
  const [log, lead] = [presets.log.plan(call, 'r'), presets.lead.plan(call, 'r')];
  const result = [
    fieldOf(log.records[0]?.fields, 'CallDisposition'),
    log.person?.unmatched,
    lead.person?.unmatched,
    fieldOf(lead.person?.fields, 'Status'),
    log.records.length - 1,
  ];
  expect(result).toEqual(BY_OUTCOME[outcome]);
});

test.each(['call-log', 'lead-capture', 'appointment', 'call-quality'])(
  'what the comments of %s promise holds',
  (name) => {
    const text = salesforceDialect.presets[name]?.() ?? '';
    const examples = [...text.matchAll(/^# {3}(\S.*?)\s{2,}\S.*$/gm)].map(([, example]) => example as string);
    expect(examples).toHaveLength(name === 'call-log' ? 7 : 0);
    for (const example of examples) compile(`extends: salesforce/${name}\n${example}\n`);
  },
);

test('custom objects are named by their API name, and owners by address or id', () => {
  const text =
    'person: { owner: { by_agent: { a: ada@acme.example }, fallback: 005000000000001AAA } }\nobjects: [ { name: visit, object: acme__Site_Visit__c, title: x } ]\n';
  const plan = compile(text).plan(planFor(salesforceHarness, { id: 'c', phone: '+14155550142' }).call, 'r');
  expect(plan.records).toMatchObject([{ type: 'object', object: 'acme__Site_Visit__c' }]);
  expect(plan.person?.owner).toMatchObject({ property: 'OwnerId', steps: [{ by: 'id', value: '005000000000001AAA' }] });
});

test.each([
  ['object: »Case', 'bad-value', /Case has a section of its own/, /under cases:/],
  ['object: »lead', 'bad-value', /lead has a section of its own/, /under person:/],
  ['object: »"Site Visit"', 'bad-value', /no name of an object/, /CampaignMember or Site_Visit__c/],
  ['object: Asset, associate: [»company]', 'unknown-record', /"company"/, /here it is called account/],
  [
    'object: Asset, associate: [person, »open_deals]',
    'unknown-record',
    /"open_deals"/,
    /here it is called open_opportunities/,
  ],
])('a mistake in an object is a finding with its place: %s', (line, code, says, hint) => {
  const found = mistakeAt(
    salesforceDialect,
    `person: {}\nobjects:\n  - { name: one, ${line}, fields: { A__c: vars.x } }\n`,
  );
  expect(found.code).toBe(code);
  expect(found.message).toMatch(says);
  expect(found.hint).toMatch(hint);
});
