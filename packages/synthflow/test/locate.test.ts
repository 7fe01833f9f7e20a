import { describe, expect, it } from 'vitest';
import { normalise, readCallId } from '../src/index.ts';
import { type Located, locate, makeFind } from '../src/parse/locate.ts';
import { CONTEXT, parsed } from './support/read.ts';

describe('the call id is found', () => {
  it.each<[string, unknown, string]>([
    [
      'in a webhook',
      { call: { call_id: '66666666-7777-8888-9999-000000000000' } },
      '66666666-7777-8888-9999-000000000000',
    ],
    [
      'in a webhook of 2024',
      { call: { call_id: '1714560000000x123456789012345678' } },
      '1714560000000x123456789012345678',
    ],
    ['in a flat payload, call_id', { call_id: 'a', call_status: 'completed' }, 'a'],
    ['in a flat payload, callId', { callId: 'a' }, 'a'],
    ['in a flat payload, Call_id', { Call_id: 'a' }, 'a'],
    ['in a REST record', { call_id: 'a', judge_results: {} }, 'a'],
    ['in a REST answer', { status: 'ok', response: { calls: [{ call_id: 'a' }, { call_id: 'b' }] } }, 'a'],
    ['beside a call that has none', { call_id: 'a', call: { duration: 3 } }, 'a'],
    ['as a number', { call: { call_id: 42 } }, '42'],
    ['with 256 characters', { call: { call_id: 'x'.repeat(256) } }, 'x'.repeat(256)],
    ['with blanks, which belong to it', { call: { call_id: ' a ' } }, ' a '],
    ['in the call rather than beside it', { call: { call_id: 'a' }, call_id: 'b' }, 'a'],
  ])('%s', (_, payload, id) => {
    expect(readCallId(payload)).toBe(id);
    expect(normalise(payload, CONTEXT).id).toBe(id);
  });

  it('and a second one that differs is noted', () => {
    const call = normalise({ call: { call_id: 'a' }, call_id: 'b' }, CONTEXT);
    expect(call.notes.map(({ path }) => path)).toContain('call_id');
  });

  it.each([
    [{ call: { call_id: 'a' }, call_id: 'a' }],
    [{ call: { duration: 3 }, call_id: 'a' }],
    [{ call: { call_id: 'a' } }],
  ])('and is not contradicted in %j', (payload) => {
    expect(locate(payload)).toMatchObject({ id: 'a', shape: 'webhook', contradicted: false });
  });
});

describe('a fact', () => {
  const at = (payload: object) => makeFind(locate(payload) as Located);

  it('is looked for in the call first, then around it, each name in its turn', () => {
    const find = at({ call: { call_id: 'a', status: 'x', name: 'y' }, status: 'z' });
    expect(find('name', 'status')).toEqual([
      { value: 'y', path: 'call.name' },
      { value: 'x', path: 'call.status' },
      { value: 'z', path: 'status' },
    ]);
  });

  it('of a record is found once', () => {
    expect(at({ call_id: 'a', status: 'x' })('status')).toEqual([{ value: 'x', path: 'status' }]);
    expect(at({ response: { calls: [{ call_id: 'a', status: 'x' }] } })('status')).toEqual([
      { value: 'x', path: 'response.calls[0].status' },
    ]);
  });

  it.each([[null], [''], [' \n'.repeat(100)]])('is none where it says nothing: %j', (status) => {
    expect(at({ call_id: 'a', status })('status')).toEqual([]);
  });
});

describe('there is no call id', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'call_id'],
    ['a list', [{ call_id: 'a' }]],
    ['an empty object', {}],
    ['an inbound-call event', { event: 'call_inbound', call_inbound: { from_number: '+14155550123' } }],
    ['an empty id', { call: { call_id: '' } }],
    ['a blank id', { call: { call_id: ' \t' } }],
    ['null as id', { call: { call_id: null } }],
    ['an object as id', { call: { call_id: { id: 'a' } } }],
    ['a fraction', { call: { call_id: 1.5 } }],
    ['a number that is not exact', { call: { call_id: 2 ** 53 } }],
    ['an id of 257 characters', { call: { call_id: 'x'.repeat(257) } }],
    ['an id with NUL', { call: { call_id: 'a\0b' } }],
    ['an id with a line break', { call: { call_id: 'a\nb' } }],
    ['an id with DEL', { call: { call_id: 'a\u007fb' } }],
    ['an id with a lone surrogate', { call: { call_id: 'a\ud800' } }],
    ['no calls in a REST answer', { response: { calls: [] } }],
    ['an error of the REST API', { detail: { status: 404, description: 'not found' } }],
    ['an id that is only inherited', Object.create({ call_id: 'a' })],
    ['an id under __proto__', parsed('{"__proto__":{"call_id":"a","call":{"call_id":"a"}}}')],
  ])('%s', (_, payload) => {
    expect(readCallId(payload)).toBeUndefined();
    expect(() => normalise(payload, CONTEXT)).toThrow(TypeError);
  });
});
