/** What becomes of one plan, of its fields and of what was refused. */
import { COLLEAGUE, type FieldWrite, UNKNOWN_ORIGIN } from '@wrapup/mapping';
import { describe, expect, it, test } from 'vitest';
import {
  beginPlan,
  changeOf,
  type DecidedField,
  decideFields,
  doneBefore,
  placeOf,
  readTime,
  reportDropped,
  reportFailure,
  reportKept,
  wantedRecords,
  withFirstCause,
  withoutNewer,
} from '../../src/engine/plan/plan-write.ts';
import { Failure } from '../../src/port/failure.ts';
import { sampleField } from '../../src/testing/sample-plan.ts';
import { planOf } from './support/sample.ts';

const ENDED = Date.parse('2026-11-20T10:00:00Z');
const CALL = { key: 'main:c1', ended_at: ENDED, watermark: undefined };

test('a plan begins with when its call ended; one without a readable time is older than all', () => {
  expect(beginPlan(planOf(), 3)).toMatchObject({ index: 3, ended_at: ENDED, log_only: false });
  expect(beginPlan({ ...planOf(), ended_at: 'once' }, 0).ended_at).toBe(0);
});

describe('the line of the mapping that wrote a field', () => {
  const plan = planOf({ first_name: 'Ada' });

  it.each([
    ['person', 'first', 2],
    ['call_log', 'title', 6],
    ['call-back', 'subject', 7],
    ['person', 'subject', undefined],
    ['call_log', 'first', undefined],
    ['deal', 'title', undefined],
  ])('of %s.%s is line %s', (record, property, line) => {
    expect(placeOf(plan, record, property)?.line).toBe(line);
  });

  it('is none of a person whom the mapping does not have', () => {
    expect(placeOf({ ...plan, person: null }, 'person', 'first')).toBeUndefined();
  });
});

describe('a failure', () => {
  const plan = beginPlan(planOf(), 4);

  it('names its record, and the line of the field that was refused', () => {
    const failure = new Failure('invalid_field', 'no', { field: 'title' });
    expect(reportFailure(plan, 'call_log', failure)).toMatchObject({
      plan: 4,
      record: 'call_log',
      failure: { code: 'invalid_field', details: { record: 'call_log', field: 'title', at: { line: 6 } } },
    });
  });

  it('has no line without a field, or of a field that no mapping wrote', () => {
    for (const details of [{}, { field: 'hs_timestamp' }]) {
      const report = reportFailure(plan, 'call_log', new Failure('refused', 'no', details));
      expect('failure' in report && 'at' in report.failure.details).toBe(false);
    }
  });
});

describe('a field that the account refused and that was left out', () => {
  const plan = beginPlan(planOf(), 4);
  const noted = (code: 'invalid_field' | 'missing_property', details = {}) =>
    reportDropped(plan, 'call_log', [{ property: 'title', failure: new Failure(code, 'Not here.', details) }]);

  it('is noted with its line, its reason and what to do', () => {
    expect(noted('invalid_field', { hint: 'Correct it.' })).toEqual([
      {
        plan: 4,
        note: {
          ...{ code: 'invalid_value', record: 'call_log', field: 'title', reason: 'Not here.', hint: 'Correct it.' },
          at: { file: 'mappings/sample.yaml', line: 6, column: 1 },
        },
      },
    ]);
    expect('hint' in (noted('invalid_field')[0] as { note: object }).note).toBe(false);
  });

  it('is noted under the code that the refusal names, else by whether there is such a field', () => {
    const codeOf = ([report]: ReturnType<typeof noted>) => (report as { note: { code: string } }).note.code;
    expect(codeOf(noted('invalid_field', { omits: 'too_long' }))).toBe('too_long');
    expect(codeOf(noted('missing_property'))).toBe('missing_property');
  });

  it('is not worth a note where no mapping wrote it', () => {
    const failure = new Failure('invalid_field', 'no');
    expect(reportDropped(plan, 'call_log', [{ property: 'hs_timestamp', failure }])).toEqual([]);
  });
});

describe('a record that was refused once fields had been left out', () => {
  const first = new Failure('invalid_field', 'No such option.', { hint: 'Add it.', vendor_code: 'INVALID' });
  const dropped = [
    { property: 'stage', failure: new Failure('too_long' as never, 'other') },
    { property: 'amount', failure: first },
  ];
  const refused = (details = {}, code: 'missing_property' | 'conflict' | 'unavailable' = 'missing_property') =>
    new Failure(code, 'amount is required.', details);

  it('fails for the refusal of the field that it lacks', () => {
    expect(withFirstCause(refused({ field: 'amount', status: 400 }), dropped)).toMatchObject({
      code: 'invalid_field',
      message: 'No such option. Without amount the record was refused: amount is required.',
      details: { field: 'amount', hint: 'Add it.', vendor_code: 'INVALID', status: 400 },
    });
  });

  it('fails for the first field that was left out where it names none', () => {
    expect(withFirstCause(refused(), dropped).details.field).toBe('stage');
  });

  it('keeps its own hint and code of the vendor where the first cause has none', () => {
    const own = refused({ hint: 'own', vendor_code: 'OWN' });
    expect(withFirstCause(own, dropped).details).toMatchObject({ hint: 'own', vendor_code: 'OWN' });
  });

  it.each([
    ['nothing was left out', refused(), []],
    ['it lacks a field that was not left out', refused({ field: 'name' }), dropped],
    ['it is tried again', refused({}, 'unavailable'), dropped],
    ['it is a conflict', refused({ next: 'park' }, 'conflict'), dropped],
  ])('fails for its own reason where %s', (_case, failure, left) => {
    expect(withFirstCause(failure, left)).toBe(failure);
  });
});

test('a call that is logged without a person writes its call log alone', () => {
  const plan = planOf();
  expect(wantedRecords({ log_only: false, plan }).map(({ name }) => name)).toEqual(['call_log', 'call-back']);
  expect(wantedRecords({ log_only: true, plan }).map(({ name }) => name)).toEqual(['call_log']);
});

test('a record is done before only where this delivery has finished it', () => {
  const resume = { attempts: 1, records: { person: '7', call_log: '9' }, done: ['person'] };
  expect(doneBefore(planOf({ resume }), 'person')).toBe('7');
  expect(doneBefore(planOf({ resume }), 'call_log')).toBeUndefined();
  expect(doneBefore(planOf({ resume: { attempts: 1, records: { person: '7' } } }), 'person')).toBeUndefined();
  expect(doneBefore(planOf(), 'person')).toBeUndefined();
});

describe('fields are decided', () => {
  const decide = (field: FieldWrite, current: Record<string, string | null> | undefined, rest = {}, limit = 100) =>
    decideFields([field], current, { ...CALL, ...rest }, () => limit)[0] as DecidedField;

  it('with the value that the record has, and what becomes of it', () => {
    expect(decide(sampleField('note', 'new'), { note: 'old' })).toMatchObject({
      ...{ from: 'old', to: 'new', applies: true },
    });
    expect(decide(sampleField('note', 'new'), { note: null }).from).toBeUndefined();
    expect('why' in decide(sampleField('note', 'new'), {})).toBe(false);
  });

  it('of a record that is not there whatever later calls wrote elsewhere', () => {
    const later = { watermark: ENDED + 1 };
    expect(decide(sampleField('note', 'new', 'if_newer'), undefined, later).applies).toBe(true);
    expect(decide(sampleField('note', 'new', 'if_newer'), {}, later).applies).toBe(false);
  });

  it('and say why they stay', () => {
    const stays = decide(sampleField('note', 'new', 'if_empty'), { note: 'old' });
    expect(stays).toMatchObject({ applies: false, why: expect.stringMatching(/\w/) });
    expect(decide(sampleField('note', 'new', 'if_empty'), { note: '' }).applies).toBe(true);
  });

  it('by whose value it is, asked of that very field', () => {
    const asked: unknown[] = [];
    const originOf = (field: FieldWrite, from: unknown, to: unknown) => {
      asked.push([field.name, from, to]);
      return 'changed' as const;
    };
    expect(decide(sampleField('note', 'new', 'if_ours'), { note: 'old' }, { originOf })).toMatchObject({
      ...{ applies: false, why: COLLEAGUE },
    });
    expect(asked).toEqual([['note', 'old', 'new']]);
  });

  it('by whether the record exists: a new one takes what fills its gaps and what is ours', () => {
    for (const mode of ['if_empty', 'if_ours', 'if_newer', 'overwrite'] as const)
      expect(decide(sampleField('note', 'new', mode), undefined).applies, mode).toBe(true);
  });

  it('as long as the property takes them', () => {
    const limits: string[] = [];
    decideFields([sampleField('note', 'x'), sampleField('title', 'y')], {}, CALL, (name) => {
      limits.push(name);
      return 10;
    });
    expect(limits).toEqual(['note', 'title']);
  });
});

test('a record of one call knows no newer call', () => {
  const fields = [sampleField('a', '1', 'if_newer'), sampleField('b', '1', 'if_empty'), sampleField('c', '1')];
  expect(withoutNewer(fields).map(({ write }) => write)).toEqual(['if_ours', 'if_empty', 'overwrite']);
  expect(fields[0]?.write).toBe('if_newer');
});

test('what stays since a person wrote it is noted, where a mapping wanted to write it', () => {
  const plan = { index: 2, plan: planOf() };
  const decided = (name: string, why?: string): DecidedField => ({
    ...{ field: sampleField(name, 'x'), from: 'y', to: 'x', applies: why === undefined },
    ...(why === undefined ? {} : { why }),
  });
  const notes = reportKept(plan, 'call_log', [
    decided('title', COLLEAGUE),
    decided('title', UNKNOWN_ORIGIN),
    decided('title', 'has a value'),
    decided('title'),
    decided('hs_timestamp', COLLEAGUE),
  ]);
  expect(notes).toEqual([
    { plan: 2, note: `call_log.title: ${COLLEAGUE}: stays.` },
    { plan: 2, note: `call_log.title: ${UNKNOWN_ORIGIN}: stays.` },
  ]);
});

test('a preview shows the decision, and why only where there is a reason', () => {
  const field = sampleField('note', 'new', 'if_empty', 9);
  expect(changeOf({ field, from: 'old', to: 'new', applies: false, why: 'has a value' })).toEqual({
    ...{ field: 'note', from: 'old', to: 'new', write: 'if_empty', applies: false, why: 'has a value' },
    at: field.at,
  });
  expect('why' in changeOf({ field, from: undefined, to: 'new', applies: true })).toBe(false);
});

test.each([
  ['2026-11-20T10:00:00Z', ENDED],
  [String(ENDED), ENDED],
  ['0', 0],
  ['2026-11-20T11:00:00+0100', ENDED],
  ['2026-11-20', Date.parse('2026-11-20T00:00:00Z')],
  ['', undefined],
  ['later', undefined],
  ['12 of them', undefined],
  [ENDED, undefined],
  [null, undefined],
  [undefined, undefined],
])('the time %j is %s', (value, time) => {
  expect(readTime(value)).toBe(time);
});
