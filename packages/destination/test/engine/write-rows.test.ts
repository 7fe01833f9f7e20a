/** What becomes of rows: fields that are refused, requests that are too much, locks, and answers that are missing. */
import { describe, expect, it, test } from 'vitest';
import type { CrmRow } from '../../src/engine/rows/row.ts';
import { bytesOf, chunk, halvesOf, isShrunk } from '../../src/engine/rows/write-rows.ts';
import { RequestFailure } from '../../src/http/request-failure.ts';
import type { FailureCode } from '../../src/port/failure.ts';
import { crmWith, refusal, row, took } from './support/rows.ts';

test('every row has its answer, and one that the CRM said nothing of may have been written', async () => {
  const { write } = crmWith(({ id = '' }) => (id === '2' ? undefined : took(id)));
  const [one, two] = await write([row('1'), row('2')]);
  expect(one).toEqual({ ok: true, id: '1', created: false, dropped: [], fields: { name: '1' } });
  expect(two).toMatchObject({ ok: false, failure: { code: 'unaccounted', outcome_unknown: true } });
});

test.each([
  ['create', true, 'create'],
  ['update', true, 'update'],
  ['upsert', true, 'upsert'],
  ['upsert', false, 'create'],
] as const)('a row is sent by %s; where the CRM has upserts is %s: by %s', async (verb, has, by) => {
  const made = crmWith(({ id = '' }) => took(id));
  if (!has) delete (made.crm as { upsert?: unknown }).upsert;
  await made.write([row('1')], verb);
  expect(made.verbs).toEqual([by]);
});

describe('rows are sent', () => {
  it('by object and parent, each object by itself', async () => {
    const { requests, write } = crmWith(({ id = '' }) => took(id));
    await write([
      row('1', { object: 'tasks', parent: 'b' }),
      row('2'),
      row('3', { object: 'tasks', parent: 'a' }),
      row('4', { object: 'tasks' }),
      row('5', { object: 'tasks', parent: 'b' }),
    ]);
    expect(requests).toEqual([['2'], ['4', '3', '1', '5']]);
  });

  it('together, where a request takes several objects', async () => {
    const { requests, write } = crmWith(({ id = '' }) => took(id), { limits: { mixed: true } });
    await write([row('1', { object: 'tasks' }), row('2')]);
    expect(requests).toEqual([['2', '1']]);
  });

  it('so many at once as a request takes', async () => {
    const { requests, write } = crmWith(({ id = '' }) => took(id), { limits: { rows: 2 } });
    await write(['1', '2', '3', '4', '5'].map((id) => row(id)));
    expect(requests).toEqual([['1', '2'], ['3', '4'], ['5']]);
  });

  it('in so many bytes as a request takes, one row at least', async () => {
    const size = bytesOf(row('1'));
    const { requests, write } = crmWith(({ id = '' }) => took(id), { limits: { bytes: 2 * size } });
    const large = row('4', { fields: { name: 'x'.repeat(100) } });
    await write([row('1'), row('2'), row('3'), large, row('5')]);
    expect(requests).toEqual([['1', '2'], ['3'], ['4'], ['5']]);
  });
});

test('bytes of a row are those of its fields as JSON', () => {
  expect(bytesOf({ fields: { name: 'é' } })).toBe(13);
});

describe('a field that is refused', () => {
  const refusing = (names: string[], code: FailureCode = 'invalid_field', rest = {}) =>
    crmWith(({ id = '', fields }) => {
      const named = names.filter((name) => name in fields);
      return named.length > 0 ? { ok: false, failure: refusal(code, { fields: named.slice(0, 1) }) } : took(id);
    }, rest);
  const fields = { name: 'x', stage: 'y', owner: 'z' };

  it('is left out, and the rest is written', async () => {
    const { sent, write } = refusing(['stage']);
    const [result] = await write([row('1', { fields })]);
    expect(result).toMatchObject({
      ...{ ok: true, fields: { name: 'x', owner: 'z' } },
      dropped: [{ property: 'stage', failure: { code: 'invalid_field' } }],
    });
    expect(sent.map((one) => Object.keys(one.fields))).toEqual([
      ['name', 'stage', 'owner'],
      ['name', 'owner'],
    ]);
  });

  it('is refused for good where it may not be left out', async () => {
    const required = new Set(['stage']);
    const [result] = await refusing(['stage']).write([row('1', { fields, required })]);
    expect(result).toMatchObject({ ok: false, dropped: [], fields });
  });

  it('is refused for good where the connection drops no fields, unless it names the owner', async () => {
    const policy = { drops_fields: false };
    expect(await refusing(['stage'], 'invalid_field', policy).write([row('1', { fields })])).toMatchObject([
      { ok: false },
    ]);
    expect(await refusing(['owner'], 'invalid_field', policy).write([row('1', { fields })])).toMatchObject([
      { ok: true, dropped: [{ property: 'owner' }] },
    ]);
  });

  it('is left out three times at most', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const all = Object.fromEntries(names.map((name) => [name, '1']));
    const left = async (count: number) => await refusing(names.slice(0, count)).write([row('1', { fields: all })]);
    expect(await left(3)).toMatchObject([{ ok: true, fields: { d: '1' } }]);
    expect(await left(4)).toMatchObject([{ ok: false, fields: { d: '1' } }]);
  });

  it('takes all others along that the object does not have, and none that it has or cannot be without', async () => {
    const asked: string[] = [];
    const knownFields = async (object: string) => {
      asked.push(object);
      return new Set(['owner']);
    };
    const { requests, write } = refusing(['stage'], 'missing_property', { knownFields });
    const [result] = await write([row('1', { fields, required: new Set(['name']) })]);
    expect(result).toMatchObject({ ok: true, fields: { name: 'x', owner: 'z' } });
    const [all] = await write([row('1', { fields })]);
    expect([all?.ok, all?.fields]).toEqual([true, { owner: 'z' }]);
    expect(asked).toEqual(['deals', 'deals']);
    expect(requests).toHaveLength(4);
  });

  it('takes no others along where the value is what is refused', async () => {
    const knownFields = () => Promise.reject(new Error('not asked'));
    expect(await refusing(['stage'], 'invalid_field', { knownFields }).write([row('1', { fields })])).toMatchObject([
      { ok: true, fields: { name: 'x', owner: 'z' } },
    ]);
  });
});

describe('a refusal', () => {
  const fields = { name: 'x', stage: 'y', owner: 'z' };
  const naming = (names: string[], code: FailureCode = 'invalid_field', rest = {}) => {
    let asked = 0;
    return crmWith(({ id = '' }) => {
      asked += 1;
      return asked === 1 ? { ok: false, failure: refusal(code, { fields: names }) } : took(id);
    }, rest);
  };
  const known = { knownFields: async () => new Set(['name']) };

  it.each<[string, string[], FailureCode, object, string[], string[] | undefined]>([
    ['of two fields leaves both out', ['stage', 'owner'], 'invalid_field', {}, [], ['name']],
    [
      'of two fields, one of which is required, is one of the row',
      ['stage', 'name'],
      'invalid_field',
      {},
      ['name'],
      undefined,
    ],
    ['that names no field is one of the row', [], 'missing_property', known, [], undefined],
    ['of a field that is not there leaves out that one', ['stage'], 'missing_property', {}, [], ['name', 'owner']],
    [
      'of the owner and another is one of the row, where no fields are dropped',
      ...([['owner', 'stage'], 'invalid_field', { drops_fields: false }, [], undefined] as const),
    ] as never,
  ])('%s', async (_what, names, code, rest, required, left) => {
    const { sent, write } = naming(names, code, rest);
    const [result] = await write([row('1', { fields, required: new Set(required) })]);
    expect([result?.ok, sent.slice(1).map((one) => Object.keys(one.fields))]).toEqual([
      left !== undefined,
      left ? [left] : [],
    ]);
  });

  it.each([
    ['owner', true],
    ['stage', false],
  ])('of %s has the list of owners read anew: %s', async (name, expected) => {
    const { ctx, write } = naming([name]);
    const forgotten: string[] = [];
    ctx.memory.delete = async (key) => {
      forgotten.push(key);
    };
    await write([row('1', { fields })]);
    expect(forgotten.length > 0).toBe(expected);
  });
});

describe('a request that is refused as a whole', () => {
  const failing = (failure: RequestFailure, isBad: (rows: CrmRow[]) => boolean, rest = {}) =>
    crmWith(({ id = '' }, rows) => {
      if (isBad(rows)) throw failure;
      return took(id);
    }, rest);
  const has3 = (rows: CrmRow[]) => rows.some(({ id }) => id === '3');
  const five = () => ['1', '2', '3', '4', '5'].map((id) => row(id));
  const taken = (results: ({ ok: boolean } | undefined)[]) => results.map((result) => result?.ok);

  it('is halved down to the row that it is about', async () => {
    const { requests, write } = failing(refusal('refused'), has3);
    expect(taken(await write(five()))).toEqual([true, true, false, true, true]);
    expect(requests.slice(0, 5)).toEqual([['1', '2', '3', '4', '5'], ['1', '2', '3'], ['1', '2'], ['3'], ['4', '5']]);
  });

  it('is sent again without the rows that it names', async () => {
    const rowsNamed = (rows: CrmRow[]) => rows.filter(({ id }) => id === '3');
    const { requests, write } = failing(refusal('refused'), has3, { rowsNamed });
    expect(taken(await write(five()))).toEqual([true, true, false, true, true]);
    expect(requests).toEqual([
      ['1', '2', '3', '4', '5'],
      ['1', '2', '4', '5'],
    ]);
  });

  it('is not sent again where it names all rows', async () => {
    const { requests, write } = failing(refusal('refused'), has3, { rowsNamed: (rows: CrmRow[]) => rows });
    const results = await write(five());
    expect(results.map((result) => result && !result.ok && result.failure.code)).toEqual(Array(5).fill('refused'));
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['it says nothing about rows', refusal('unavailable')],
    ['it is about the credentials', refusal('unauthorized')],
    ['it wants new credentials', new RequestFailure('refused', 'no', { next: 'reauthenticate' }, { vendor: {} })],
    ['no answer came', new RequestFailure('refused', 'no answer')],
  ])('is not sent again where %s', async (_why, failure) => {
    const { requests, write } = failing(failure, has3);
    expect(taken(await write(five()))).toEqual([false, false, false, false, false]);
    expect(requests).toHaveLength(1);
  });

  it.each(['invalid_field', 'missing_property', 'conflict', 'gone', 'refused', 'bad_request'] as const)(
    'says something about its rows where it is %s',
    async (code) => {
      expect(taken(await failing(refusal(code), has3).write(five()))).toEqual([true, true, false, true, true]);
    },
  );
});

describe('what is too much at once', () => {
  const heavy = { ok: false as const, failure: refusal('busy', { split_and_retry: true }) };
  const ids = (count: number) => Array.from({ length: count }, (_, n) => row(String(n + 1)));
  /** Takes so many rows of a request. */
  const taking = (most: number, rest = {}) =>
    crmWith(({ id = '' }, rows) => (rows.length > most ? heavy : took(id)), {
      limits: { shrinks: true, rows: 8 },
      ...rest,
    });

  it('is sent again in halves, and the size is remembered', async () => {
    const { ctx, requests, write } = taking(2);
    expect((await write(ids(8))).every((result) => result?.ok)).toBe(true);
    expect(requests.map(({ length }) => length)).toEqual([8, 4, 2, 2, 2, 2]);
    expect(await isShrunk(ctx, 'deals')).toBe(true);
    expect(await isShrunk(ctx, 'tasks')).toBe(false);
    requests.length = 0;
    await write(ids(4));
    expect(requests.map(({ length }) => length)).toEqual([2, 2]);
  });

  it('grows again with each full request that went through, up to what the CRM takes', async () => {
    let most = 2;
    const { ctx, requests, write } = crmWith(({ id = '' }, rows) => (rows.length > most ? heavy : took(id)), {
      limits: { shrinks: true, rows: 8 },
    });
    await write(ids(8));
    most = 8;
    await write(ids(1));
    await write(ids(2));
    requests.length = 0;
    await write(ids(8));
    expect(requests.map(({ length }) => length)).toEqual([4, 4]);
    expect(await isShrunk(ctx, 'deals')).toBe(false);
  });

  it('is halved and not remembered where it was a few rows, which are sent first', async () => {
    const { ctx, requests, write } = crmWith(
      ({ id = '' }, rows) => (id === '2' && rows.length > 2 ? heavy : took(id)),
      { limits: { shrinks: true, rows: 4 } },
    );
    expect((await write(ids(6))).every((result) => result?.ok)).toBe(true);
    expect(requests).toEqual([['1', '2', '3', '4'], ['2', '5'], ['6']]);
    expect(await isShrunk(ctx, 'deals')).toBe(false);
  });

  it('is remembered where it was half of the rows, of whatever kind', async () => {
    const lock = { ok: false as const, failure: refusal('locked', { split_and_retry: true }) };
    const { ctx, requests, write } = crmWith(
      ({ id = '' }, rows) => (rows.length > 2 && id === '1' ? heavy : rows.length > 2 && id === '2' ? lock : took(id)),
      { limits: { shrinks: true, rows: 4 } },
    );
    expect((await write(ids(4))).every((result) => result?.ok)).toBe(true);
    expect(requests).toEqual([
      ['1', '2', '3', '4'],
      ['1', '2'],
    ]);
    expect(await isShrunk(ctx, 'deals')).toBe(true);
  });

  it('is halved where a few rows met a lock, and one of them was too much besides', async () => {
    const lock = { ok: false as const, failure: refusal('locked', { split_and_retry: true }) };
    const { requests, write } = crmWith(
      ({ id = '' }, rows) => (rows.length > 2 && id === '1' ? heavy : rows.length > 2 && id === '2' ? lock : took(id)),
      { limits: { shrinks: true, rows: 6 } },
    );
    expect((await write(ids(6))).every((result) => result?.ok)).toBe(true);
    expect(requests.slice(1)).toEqual([['1', '2']]);
  });

  it('stands for a single row', async () => {
    const { requests, write } = taking(0);
    expect(await write(ids(2))).toMatchObject([{ ok: false }, { ok: false }]);
    expect(requests).toEqual([['1', '2'], ['1'], ['2']]);
  });

  it('is not sent again where no time is left, and may be tried later whatever it says', async () => {
    const parked = {
      ok: false as const,
      failure: new RequestFailure('refused', 'too much', {}, { vendor: {}, split_and_retry: true }),
    };
    const { requests, write } = crmWith(() => parked, { limits: { shrinks: true, rows: 8 }, usable: () => false });
    expect(await write(ids(2))).toMatchObject([
      { ok: false, failure: { next: 'retry' } },
      { ok: false, failure: { next: 'retry' } },
    ]);
    expect(requests).toHaveLength(1);
    expect(await write(ids(1))).toMatchObject([{ failure: { next: 'park' } }]);
  });

  it('is less the next time where no answer came at all', async () => {
    const late = { ok: false as const, failure: refusal('timeout', { outcome_unknown: true }) };
    const made = crmWith(() => late, { limits: { shrinks: true, rows: 8 } });
    await made.write(ids(8));
    expect(made.requests.map(({ length }) => length)).toEqual([8]);
    made.requests.length = 0;
    await made.write(ids(8));
    expect(made.requests.map(({ length }) => length)).toEqual([4, 4]);
    made.requests.length = 0;
    await made.write(ids(8));
    expect(made.requests.map(({ length }) => length)).toEqual([2, 2, 2, 2]);
    const few = crmWith(() => late, { limits: { shrinks: true, rows: 8 } });
    await few.write(ids(4));
    await few.write(ids(4));
    expect(few.requests.map(({ length }) => length)).toEqual([4, 2, 2]);
    const some = crmWith(({ id = '' }) => (id === '1' ? late : took(id)), { limits: { shrinks: true } });
    await some.write(ids(3));
    expect(await isShrunk(some.ctx, 'deals')).toBe(false);
    const one = crmWith(() => late, { limits: { shrinks: true } });
    await one.write(ids(1));
    expect(await isShrunk(one.ctx, 'deals')).toBe(false);
    const large = crmWith(() => late);
    await large.write(ids(8));
    expect(await isShrunk(large.ctx, 'deals')).toBe(false);
  });

  it('is the most that the CRM takes where memory does not answer', async () => {
    const made = taking(2);
    const away = () => Promise.reject(new Error('away'));
    Object.assign(made.ctx.memory, { get: away, set: away, delete: away });
    expect((await made.write(ids(8))).every((result) => result?.ok)).toBe(true);
  });
});

test('parts of a list', () => {
  expect(halvesOf([1, 2, 3])).toEqual([[1, 2], [3]]);
  expect(chunk([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(chunk([1, 2], 2)).toEqual([[1, 2]]);
  expect(chunk([], 2)).toEqual([]);
});
