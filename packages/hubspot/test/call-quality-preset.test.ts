/** Judgements of a call as fields of it, in an account. */
import { makeMemoryContext } from '@wrapup/destination';
import { write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { normalise, samplePayload } from '@wrapup/synthflow/payload';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hubspotDialect } from '../src/index.ts';
import { openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

const preset = compileSample(hubspotDialect, 'extends: hubspot/call-quality\n');

test('scores, aggregates and remarks land in the fields that provision makes', async () => {
  const destination = await account.connect();
  const steps = await destination.provision({ mappings: [preset], plan: false }, makeMemoryContext());
  expect(steps.filter(({ state }) => state === 'created').map(({ what }) => what)).toEqual([
    'calls.wrapup_result',
    'calls.wrapup_criteria_met',
    'calls.wrapup_criteria_missed',
    'calls.wrapup_goal_reached',
    'calls.wrapup_caller_content',
    'calls.wrapup_partial_or_error',
    'calls.wrapup_full_error',
    'calls.wrapup_remarks',
    'calls.wrapup_end_reason',
  ]);
  expect(await destination.check([preset], makeMemoryContext())).toEqual([]);
  const payload = samplePayload('connected', { end_call_reason: 'custom_end_call' });
  Object.assign(payload.call as object, { custom_end_call_reason: 'Offer sent' });
  Object.assign(payload.analysis as object, { judge_found_partial_or_error: 'True', all_feedback: 'No date.' });
  const call = normalise(payload, { source: 'main', default_country: 'US' });
  const [outcome] = await write(destination, [preset.plan(call, 'sample')]);
  expect(outcome).toMatchObject({ ok: true, receipt: { notes: [] } });
  expect(account.sandbox.records('calls').map(({ properties }) => properties)).toMatchObject([
    {
      wrapup_result: 'call_back',
      wrapup_criteria_met: '7',
      wrapup_criteria_missed: '1',
      wrapup_goal_reached: 'partly',
      wrapup_caller_content: 'yes',
      wrapup_partial_or_error: 'true',
      wrapup_full_error: 'false',
      wrapup_remarks: 'No date.',
      wrapup_end_reason: 'Offer sent',
    },
  ]);
});
