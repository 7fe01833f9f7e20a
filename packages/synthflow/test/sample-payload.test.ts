import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalise, readCallId, SAMPLE_AGENTS, SAMPLE_KINDS, type SampleKind, samplePayload } from '../src/index.ts';
import { CONTEXT } from './support/read.ts';

const folder = new URL('../../../samples/', import.meta.url);
const load = (kind: SampleKind) => JSON.parse(readFileSync(new URL(`${kind}.json`, folder), 'utf8')) as unknown;

describe('the shipped samples', () => {
  it('are what the generator makes', () => {
    for (const kind of SAMPLE_KINDS) expect(load(kind)).toEqual(samplePayload(kind));
    expect(readdirSync(folder).sort()).toEqual(SAMPLE_KINDS.map((kind) => `${kind}.json`).sort());
  });

  it.each<[SampleKind, object]>([
    [
      'connected',
      { outcome: 'connected', answered_by: 'human', vars: { budget: '12000', topic: 'upgrade', seats: 20 } },
    ],
    ['voicemail', { outcome: 'voicemail', answered_by: 'machine', status: 'completed' }],
    ['unknown-caller', { outcome: 'connected', vars: { wants_callback: true }, lead: { phone: '+14155550119' } }],
    ['no-answer', { outcome: 'no_answer', answered_by: 'nobody', turns: [] }],
  ])('%s is read without a note', (kind, facts) => {
    const call = normalise(load(kind), CONTEXT);
    expect(call).toMatchObject({ ...facts, notes: [], terminal: true });
  });

  it('are different calls of different people, all invented', () => {
    const calls = SAMPLE_KINDS.map((kind) => normalise(load(kind), CONTEXT));
    expect(new Set(calls.map(({ id }) => id)).size).toBe(SAMPLE_KINDS.length);
    expect(new Set(calls.map(({ lead }) => lead.phone)).size).toBe(SAMPLE_KINDS.length);
    for (const { lead } of calls) expect(lead.phone).toMatch(/^\+1\d{3}55501\d\d$/);
  });

  it('know no name of the unknown caller', () => {
    expect(normalise(load('unknown-caller'), CONTEXT).lead).not.toHaveProperty('name');
  });
});

describe('made samples', () => {
  it('take other facts', () => {
    const payload = samplePayload('connected', {
      call_id: 'other',
      model_id: SAMPLE_AGENTS.inbound,
      phone: '+14155550188',
      name: null,
      start_time: '2026-05-04T10:00:00Z',
      duration: 7,
      status: 'no-answer',
      end_call_reason: 'undefined',
      transcript: '',
      collected: { budget: null, wants_callback: false, city: 'Springfield' },
      prompt_variables: { crm_id: '7' },
      metadata: { session_id: 'x' },
    });
    expect(readCallId(payload)).toBe('other');
    const call = normalise(payload, CONTEXT);
    expect(call).toMatchObject({
      status: 'no_answer',
      duration: 7,
      started_at: '2026-05-04T10:00:00.000Z',
      lead: { phone: '+14155550188' },
      vars: { wants_callback: false, city: 'Springfield' },
      prompt_variables: { crm_id: '7' },
      metadata: { session_id: 'x' },
      agent: { id: SAMPLE_AGENTS.inbound },
      turns: [],
    });
    expect(call.vars).not.toHaveProperty('budget');
    expect(call.lead).not.toHaveProperty('name');
  });

  it('are the same each time, and a change does not reach the next one', () => {
    const first = samplePayload('voicemail');
    expect(samplePayload('voicemail')).toEqual(first);
    (first.call as { [key: string]: unknown }).call_id = 'changed';
    expect(readCallId(samplePayload('voicemail'))).not.toBe('changed');
  });
});
