import {
  appendBlock,
  decideField,
  type FieldOrigin,
  type FieldWrite,
  isRemembered,
  needsReading,
  needsWatermark,
  type Value,
  type WriteMode,
} from '@wrapup/mapping';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

const LIMIT = 65_536;
const NO_SUM = 'what the CRM says is no number';
const ADDED = 'this call, or a later one, has already been added';
const call = {
  key: 'main:c1',
  ended_at: Date.parse('2026-11-20T10:00:00Z'),
  watermark: undefined,
  exists: true,
  limit: LIMIT,
};

function sampleField(name: string, value: Value, write: WriteMode): FieldWrite {
  return { name, value, write, at: { file: 'mappings/acme.yaml', line: 1, column: 1 } };
}

test.each([
  ['overwrite', 'new', 'old', true],
  ['overwrite', 'same', 'same', false],
  ['overwrite', '2026-11-20T10:00:00.000Z', '2026-11-20T10:00:00Z', false],
  ['overwrite', '2026-11-20T10:00:00.000Z', '2026-11-20T10:00:00.000+0000', false],
  ['overwrite', '2026-11-20T10:00:00.000Z', '2026-11-20T10:00:00.001Z', true],
  ['overwrite', '2026', '2026-01-01T00:00Z', true],
  ['overwrite', '2026-01-01T00:00Z', '2026', true],
  ['overwrite', null, 'old', true],
  ['overwrite', null, '', false],
  ['overwrite', null, undefined, false],
  ['overwrite', false, 'true', true],
  ['if_newer', false, true, true],
  ['never_unset', false, true, false],
  ['never_unset', true, 'true', false],
  ['if_empty', 'new', 'old', false],
  ['if_empty', 'new', '', true],
  ['if_empty', 'new', null, true],
  ['never_unset', false, 'true', false],
  ['never_unset', true, 'false', true],
  ['never_unset', false, null, true],
  ['never_unset', 'anything', 'true', false],
] as const)('%s of %j over %j applies: %s', (write, value, current, applies) => {
  const { why } = decideField(sampleField('x', value, write), current ?? undefined, call);
  expect(why === undefined).toBe(applies);
});

test.each([
  ['an older call', '2026-11-20T09:59:59Z', true],
  ['the same call', '2026-11-20T10:00:00Z', true],
  ['a newer call', '2026-11-20T10:00:01Z', false],
])('if_newer after %s applies: %s', (_which, watermark, applies) => {
  const facts = { ...call, watermark: Date.parse(watermark) };
  const { why } = decideField(sampleField('x', 'new', 'if_newer'), 'old', facts);
  expect(why === undefined).toBe(applies);
});

test.each([
  ['if_ours', 'old', 'ours', undefined],
  ['if_ours', 'old', 'changed', 'a colleague changed this'],
  // Emptied by a colleague.
  ['if_ours', '', 'changed', 'a colleague changed this'],
  ['if_ours', 'old', 'unknown', 'it is not known whether this was written here or by a colleague'],
  ['if_ours', '', 'unknown', undefined],
  ['if_ours', 'NEW ', 'same', 'it already says so'],
  ['if_newer', 'old', 'changed', 'a colleague changed this'],
  ['never_unset', 'false', 'changed', 'a colleague changed this'],
  ['never_unset', 'false', 'unknown', undefined],
  ['if_newer', 'old', 'ours', undefined],
  ['overwrite', 'old', 'changed', undefined],
] as const)('%s over %j, which is %s, when the call comes again: %s', (write, current, origin: FieldOrigin, why) => {
  const standing = { ...call, repeated: true, originOf: () => origin };
  expect(decideField(sampleField('x', 'new', write), current, standing).why).toBe(why);
});

test.each([
  ['overwrite', { watermark: call.ended_at + 1 }, undefined],
  ['if_newer', {}, undefined],
  ['if_newer', { watermark: call.ended_at + 1 }, 'a later call has already been written there'],
  ['if_ours', { watermark: call.ended_at + 1 }, 'a later call has already been written there'],
  ['if_ours', {}, 'it is not known whether this was written here or by a colleague'],
  ['never_unset', { watermark: call.ended_at + 1 }, undefined],
  ['never_unset', { originOf: (): FieldOrigin => 'changed' }, undefined],
  ['never_unset', { repeated: true }, undefined],
  ['if_newer', { repeated: true }, 'it is not known whether this was written here or by a colleague'],
] as const)('%s over another value, of which it is known that %j: %s', (write, standing, why) => {
  expect(decideField(sampleField('x', 'new', write), 'old', { ...call, ...standing })).toStrictEqual({
    to: 'new',
    ...(why === undefined ? {} : { why }),
  });
});

test('if_newer asks whose value it is only of a call that comes again; if_ours of a new record never', () => {
  const originOf = (): FieldOrigin => 'changed';
  expect(decideField(sampleField('x', 'new', 'if_newer'), 'old', { ...call, originOf }).why).toBeUndefined();
  const created = { ...call, exists: false, originOf };
  expect(decideField(sampleField('x', 'new', 'if_ours'), undefined, created).why).toBeUndefined();
});

test.each([
  ['a call on top of what is there', '2', '2026-11-20T09:59:59Z', 3],
  ['a first call', undefined, undefined, 1],
  ['a text that is no number', 'many', undefined, 'what the CRM says is no number'],
  ['the call that is in it', '2', '2026-11-20T10:00:00Z', ADDED],
  // Salesforce keeps no fractions of a second.
  ['the same call, cut to the second', '2', '2026-11-20T10:00:00.000Z', ADDED],
  ['a later call', '2', '2026-11-20T10:00:01Z', ADDED],
] as const)('add after %s', (_which, current, watermark, outcome) => {
  const standing = {
    ...call,
    ended_at: call.ended_at + 700,
    watermark: watermark === undefined ? undefined : Date.parse(watermark),
  };
  const { to, why } = decideField(sampleField('x', 1, 'add'), current, standing);
  expect(why ?? to).toBe(outcome);
});

test('add has no rounding errors, takes numbers alone, and adds no call that was written before', () => {
  expect(decideField(sampleField('x', 0.2, 'add'), '0.1', call)).toEqual({ to: 0.3 });
  expect(decideField(sampleField('x', '', 'add'), '1', call).why).toBe('it is no number');
  expect(decideField(sampleField('x', 1, 'add'), '1', { ...call, repeated: true }).why).toBe(ADDED);
  const created = { ...call, exists: false, repeated: true };
  expect(decideField(sampleField('x', 1, 'add'), undefined, created)).toStrictEqual({ to: 1 });
});

test.each([
  ['a call that is in it', 1, '2', { repeated: true }, { to: '2', why: ADDED }],
  ['a call that is in it, over what is no number', 1, 'many', { repeated: true }, { to: 'many', why: NO_SUM }],
  ['a call over what is no number', 1, 'many', {}, { to: 'many', why: NO_SUM }],
  ['a call that is in it, over a field that was emptied', 1, '', { repeated: true }, { to: '', why: ADDED }],
  ['a call that is in it, over no field', 1, undefined, { repeated: true }, { to: null, why: ADDED }],
  ['what is no number', 'a few', '2', {}, { to: '2', why: 'it is no number' }],
])('where add leaves a field alone, it holds what it held: %s', (_what, value, current, standing, decision) => {
  expect(decideField(sampleField('x', value, 'add'), current, { ...call, ...standing })).toEqual(decision);
});

test('only modes that depend on the present value ask for reading', () => {
  expect(needsReading([sampleField('x', 'a', 'overwrite')])).toBe(false);
  for (const field of [
    sampleField('x', 'a', 'if_empty'),
    sampleField('x', 'a', 'if_newer'),
    sampleField('x', 'a', 'if_ours'),
    sampleField('x', 'a', 'append'),
    sampleField('x', false, 'never_unset'),
    sampleField('x', true, 'never_unset'),
  ])
    expect(needsReading([field])).toBe(true);
});

test('a block is added once for each call, and what people wrote around it stays', () => {
  let text = 'Written by hand.';
  text = appendBlock(text, 'main:a', 'first', LIMIT);
  text = appendBlock(text, 'main:b', 'second', LIMIT);
  text = `${text}\nMore by hand.`;
  text = appendBlock(text, 'main:a', 'first, corrected', LIMIT);
  expect(text).toBe(
    'Written by hand.\n\n[call main:a]\nfirst, corrected\n[/call main:a]\n\n[call main:b]\nsecond\n[/call main:b]\nMore by hand.',
  );
});

test('when the text outgrows the property, the oldest blocks go first', () => {
  let text = 'By hand.';
  for (let n = 0; n < 20; n += 1) text = appendBlock(text, `main:${n}`, 'x'.repeat(5_000), LIMIT);
  expect(text.length).toBeLessThanOrEqual(65_536);
  expect(text).toContain('By hand.');
  expect(text).toContain('[call main:19]');
  expect(text).not.toContain('[call main:0]');
});

test.each([
  ['no text', '  \n', '[call a:1]\nx\n[/call a:1]'],
  ['a text with blanks around it', '  by hand \n', '  by hand\n\n[call a:1]\nx\n[/call a:1]'],
  ['an end without its beginning', 'by hand [/call a:1]', 'by hand [/call a:1]\n\n[call a:1]\nx\n[/call a:1]'],
  ['a beginning without its end', 'by hand [call a:1] cut', 'by hand [call a:1] cut\n\n[call a:1]\nx\n[/call a:1]'],
])('a block after %s', (_what, text, whole) => {
  expect(appendBlock(text, 'a:1', 'x', LIMIT)).toBe(whole);
});

test('of blocks that do not fit the oldest goes with the blanks after it, and of the own one what comes last stays', () => {
  const [old, mid, last] = ['a:1', 'a:2', 'a:3'].map((key) => `[call ${key}]\nx\n[/call ${key}]`);
  const kept = `By hand.\n\n${mid}\n\n${last}`;
  const before = `By hand.\n\n${old}\n\n${mid}`;
  expect(appendBlock(before, 'a:3', 'x', kept.length)).toBe(kept);
  expect(appendBlock(before, 'a:3', 'x', kept.length - 1)).toBe(`By hand.\n\n${last}`);
  expect(appendBlock(before, 'a:3', 'x', 10)).toBe(last?.slice(-10));
  expect(appendBlock('', 'a:1', 'x', 10)).toBe(old?.slice(-10));
});

test('appending the same block again changes nothing, whatever the text is', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 500 }),
      fc.string({ maxLength: 200 }),
      fc.stringMatching(/^[a-z]+:[\w-]{1,20}$/),
      (text, block, key) => {
        fc.pre(!text.includes('[') && !block.includes('['));
        const once = appendBlock(text, key, block, LIMIT);
        expect(appendBlock(once, key, block, LIMIT)).toBe(once);
        expect(once).toContain(block);
      },
    ),
  );
});

describe('forward', () => {
  const ORDER = ['new', 'Qualified', 'won'];
  const forward = (value: Value, from: Value | undefined, rest: object = {}) =>
    decideField({ ...sampleField('stage', value, 'forward'), order: ORDER }, from, { ...call, ...rest });
  const SO_FAR = 'the CRM is as far, or further';

  it.each<[Value, Value | undefined, string | undefined]>([
    ['won', 'new', undefined],
    ['qualified', 'NEW', undefined],
    ['new', undefined, undefined],
    ['new', '', undefined],
    ['new', 'won', SO_FAR],
    ['Won', 'won', SO_FAR],
    ['other', 'new', SO_FAR],
    ['won', 'other', 'the order does not name what the CRM says'],
    ['won', 'won', 'it already says so'],
  ])('%j over %j: %s', (value, from, why) => {
    expect(forward(value, from)).toStrictEqual({ to: value, ...(why === undefined ? {} : { why }) });
  });

  it('leads nowhere without an order', () => {
    expect(decideField(sampleField('stage', 'won', 'forward'), 'new', call).why).toBe(
      'the order does not name what the CRM says',
    );
  });

  it('writes a new record whatever the order', () => {
    expect(forward('other', undefined, { exists: false })).toStrictEqual({ to: 'other' });
  });

  it('leaves what a colleague took back where the same call comes again, and no other', () => {
    const originOf = () => 'changed' as const;
    expect(forward('won', 'new', { repeated: true, originOf })).toStrictEqual({
      to: 'won',
      why: 'a colleague changed this',
    });
    expect(forward('won', 'new', { originOf })).toStrictEqual({ to: 'won' });
    expect(forward('won', 'new', { repeated: true, originOf: () => 'ours' })).toStrictEqual({ to: 'won' });
    expect(forward('won', 'new', { repeated: true })).toStrictEqual({ to: 'won' });
  });
});

test('a block that stands there already is not written again', () => {
  const first = decideField(sampleField('note', 'x', 'append'), 'by hand', call);
  expect(first).toStrictEqual({ to: 'by hand\n\n[call main:c1]\nx\n[/call main:c1]' });
  expect(decideField(sampleField('note', 'x', 'append'), first.to, call)).toStrictEqual({
    to: first.to,
    why: 'it already says so',
  });
  expect(decideField(sampleField('note', 'y', 'append'), first.to, call).why).toBeUndefined();
});

test('whether fields can be decided without the record, ask who wrote last, or have to be known again', () => {
  const modes: WriteMode[] = [
    'overwrite',
    'if_empty',
    'if_newer',
    'if_ours',
    'append',
    'never_unset',
    'forward',
    'add',
  ];
  const which = (holds: (field: FieldWrite) => boolean) => modes.filter((mode) => holds(sampleField('x', 'y', mode)));
  expect(which((field) => needsReading([field]))).toEqual(modes.slice(1));
  expect(which((field) => needsWatermark([field]))).toEqual(['if_newer', 'if_ours', 'never_unset', 'add']);
  expect(which(isRemembered)).toEqual(['if_newer', 'if_ours', 'never_unset', 'forward']);
  expect([needsReading([]), needsWatermark([])]).toEqual([false, false]);
});
