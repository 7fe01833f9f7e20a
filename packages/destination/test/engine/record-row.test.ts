/** One record of a plan as it is sent: its fields, its links, and what stays as it is. */
import { COLLEAGUE } from '@wrapup/mapping';
import { describe, expect, it, test } from 'vitest';
import { type Existing, receiptOf } from '../../src/engine/plan/plan-write.ts';
import { makeRow, recordStanding } from '../../src/engine/records/record-row.ts';
import type { Item, RecordVerbs } from '../../src/engine/records/record-verbs.ts';
import { recallWritten, recordMemory } from '../../src/engine/rows/written-values.ts';
import { Failure } from '../../src/port/failure.ts';
import { sampleField } from '../../src/testing/sample-plan.ts';
import { newContext, PLAIN_RULES, writeOf } from './support/sample.ts';

const CONTACT = { name: 'person', object: 'contacts', id: '7' };

function itemOf(record: Partial<Item['record']> = {}, write: Partial<Item['write']> = {}): Item {
  const whole = writeOf();
  const log = whole.plan.records[0] as Item['record'];
  return { write: { ...whole, ...write }, record: { ...log, fields: [], ...record }, targets: [CONTACT] };
}

async function crmWith(verbs: Partial<RecordVerbs> = {}) {
  const values = await recallWritten(newContext(), []);
  return { fields: PLAIN_RULES, requiredOf: () => new Set<string>(), values, ...verbs };
}

const there = (properties: Existing['properties'] = {}): Existing => ({ id: '9', properties });

describe('a record that is made', () => {
  it('has its key, its links and all fields that say something', async () => {
    const fields = [sampleField('title', 'A call'), sampleField('empty', ''), sampleField('none', null)];
    expect(makeRow(await crmWith(), itemOf({ fields }), undefined).row).toEqual({
      ...{ object: 'calls', key: 'main:c1', targets: [CONTACT], fields: { title: 'A call' }, plans: [0] },
      required: new Set(),
    });
  });

  it('is made also where it says nothing', async () => {
    expect(makeRow(await crmWith(), itemOf(), undefined).row?.fields).toEqual({});
  });

  it('has what every record of its kind has, and what it cannot be without', async () => {
    const asked: unknown[] = [];
    const crm = await crmWith({
      implied: (_write, _record, verb) => {
        asked.push(verb);
        return [sampleField('kind', 'CALL')];
      },
      requiredOf: () => new Set(['kind']),
    });
    const { row } = makeRow(crm, itemOf(), undefined);
    expect([row?.fields, row?.required]).toEqual([{ kind: 'CALL' }, new Set(['kind'])]);
    makeRow(crm, itemOf(), there());
    expect(asked).toEqual(['create', 'update']);
  });
});

describe('a record that is there', () => {
  it('is changed by its id in what differs', async () => {
    const fields = [sampleField('title', 'new'), sampleField('note', 'new', 'if_empty'), sampleField('gone', null)];
    expect(makeRow(await crmWith(), itemOf({ fields }), there({ note: 'old', gone: 'x' })).row).toMatchObject({
      ...{ id: '9', fields: { title: 'new' } },
    });
  });

  it('is not sent where it says all of it already', async () => {
    const fields = [sampleField('note', 'new', 'if_empty')];
    const made = makeRow(await crmWith(), itemOf({ fields }), there({ note: 'old' }));
    expect('row' in made).toBe(false);
  });

  it('keeps what a colleague wrote, and says so', async () => {
    const crm = await crmWith();
    const item = itemOf({ fields: [sampleField('title', 'new', 'if_ours', 6)] });
    const note = recordMemory(item.record);
    await crm.values.intend(note, new Map([['title', 'ours']]), { key: 'main:c1', ended_at: 1 });
    expect(makeRow(crm, item, there({ title: 'by hand' })).reports).toEqual([
      { plan: 0, note: `call_log.title: ${COLLEAGUE}: stays.` },
    ]);
    expect(makeRow(crm, item, there({ title: 'ours' })).row?.fields).toEqual({ title: 'new' });
  });
});

test('the values that have to be known again are remembered in canonical form', async () => {
  const fields = [sampleField('title', ' A call ', 'if_ours'), sampleField('note', 'x', 'if_empty')];
  expect([...makeRow(await crmWith(), itemOf({ fields }), undefined).remembered]).toEqual([['title', 'A call']]);
});

describe('what the account makes of the fields', () => {
  it('is what is sent, with what was left out and cut', async () => {
    const dropped = [{ property: 'stage', failure: new Failure('invalid_field', 'no') }];
    const fits: unknown[] = [];
    const crm = await crmWith({
      fields: {
        ...PLAIN_RULES,
        fit: (object, fields, { verb }) => {
          fits.push([object, verb]);
          return { fields: fields.slice(0, 1), dropped, cut: new Map([['title', 'whole']]) };
        },
      },
    });
    const made = makeRow(crm, itemOf({ fields: [sampleField('title', 'x'), sampleField('stage', 'y')] }), there());
    expect(made).toMatchObject({ row: { fields: { title: 'x' } }, dropped, cut: new Map([['title', 'whole']]) });
    expect(fits).toEqual([['calls', 'update']]);
  });

  it('may be that it cannot be written at all', async () => {
    const refused = new Failure('missing_property', 'no');
    const crm = await crmWith({
      fields: { ...PLAIN_RULES, fit: (_object, fields) => ({ fields, dropped: [], cut: new Map(), refused }) },
    });
    const made = makeRow(crm, itemOf(), undefined);
    expect([made.refused, 'row' in made, made.notes, made.reports, made.left]).toEqual([refused, false, [], [], []]);
  });
});

describe('whether a later call may have written it', () => {
  const standing = async (isShared: boolean) => {
    const { values } = await crmWith();
    const { write, record } = itemOf();
    await values.intend(recordMemory(record), new Map([['title', 'x']]), { key: 'main:other', ended_at: 5 });
    return recordStanding(PLAIN_RULES, write, record, values, isShared);
  };

  it('is asked of a record that several calls can mean', async () => {
    expect(await standing(true)).toMatchObject({ watermark: 5, repeated: false, key: 'main:c1' });
  });

  it('is not asked of a record of one call: whatever comes to it comes again', async () => {
    expect(await standing(false)).toMatchObject({ watermark: undefined, repeated: true });
  });

  it('makes a field of a record of one call follow what is ours, and lets that of a shared one be newer', async () => {
    const fields = [sampleField('title', 'new', 'if_newer')];
    const late = { ended_at: 1 };
    const sent = async (record: Partial<Item['record']>, verbs: Partial<RecordVerbs> = {}) => {
      const crm = await crmWith(verbs);
      const item = itemOf({ fields, ...record }, late);
      await crm.values.intend(recordMemory(item.record), new Map([['title', 'old']]), {
        key: 'main:other',
        ended_at: 5,
      });
      return makeRow(crm, item, there({ title: 'old' })).row?.fields;
    };
    expect(await sent({})).toEqual({ title: 'new' });
    expect(await sent({ own_key: {} as never })).toBeUndefined();
    expect(await sent({}, { sharedKey: () => 'example.com' })).toBeUndefined();
  });
});

describe('links that are fields', () => {
  const linkFields: RecordVerbs['linkFields'] = (_object, targets, existing, wasLinked) => ({
    fields: Object.fromEntries(targets.map(({ name, id }) => [`${name}_id`, id])),
    notes: [existing ? 'there' : 'new', `was linked: ${wasLinked('5')}`],
    parent: 'p',
    left: { person_id: [{ object: 'contacts', id: '6' }] },
  });

  it('are sent with the record, under its parent, with what they take the place of', async () => {
    const made = makeRow(await crmWith({ linkFields }), itemOf(), undefined);
    expect(made).toMatchObject({
      row: { fields: { person_id: '7' }, parent: 'p' },
      notes: ['new', 'was linked: false'],
      left: [{ object: 'contacts', id: '6' }],
    });
  });

  it('are not made again once they were, by us or a colleague', async () => {
    const crm = await crmWith({ linkFields });
    const item = itemOf();
    await crm.values.noteLinks(recordMemory(item.record), { key: 'main:c1', ended_at: 1 }, [
      { object: 'contacts', id: '7' },
    ]);
    const made = makeRow(crm, item, there());
    expect(['row' in made, made.notes, made.left]).toEqual([false, ['there', 'was linked: false'], []]);
    expect(makeRow(crm, item, undefined).row?.fields).toEqual({ person_id: '7' });
  });

  it('know to which records of a name that the mapping reads it was linked before', async () => {
    const crm = await crmWith({ linkFields });
    const item = itemOf({ related: { company: { object: 'companies' } } as never });
    const note = async (object: string) =>
      await crm.values.noteLinks(recordMemory(item.record), { key: 'main:c1', ended_at: 1 }, [{ object, id: '5' }]);
    await note('deals');
    expect(makeRow(crm, item, there()).notes[1]).toBe('was linked: false');
    await note('companies');
    expect(makeRow(crm, item, there()).notes[1]).toBe('was linked: true');
  });

  it('stay as they are on a record that was found and points at something', async () => {
    const crm = await crmWith({ linkFields });
    const found = { found: new Map([['call_log', there()]]) };
    expect('row' in makeRow(crm, itemOf({}, found), there({ person_id: '3' }))).toBe(false);
    expect(makeRow(crm, itemOf({}, found), there({ person_id: '' })).row?.fields).toEqual({ person_id: '7' });
    expect(makeRow(crm, itemOf({}, found), there({ person_id: null })).row?.fields).toEqual({ person_id: '7' });
    expect(makeRow(crm, itemOf(), there({ person_id: '3' })).row?.fields).toEqual({ person_id: '7' });
  });
});

test('a receipt links to the record where its address is known', () => {
  const item = itemOf();
  expect(receiptOf({ urlOf: () => undefined }, item.record, '9', 'created')).toEqual({
    ...{ name: 'call_log', object: 'calls', id: '9', did: 'created' },
  });
  expect(receiptOf({ urlOf: (object, id) => `/${object}/${id}` }, item.record, '9', 'updated').url).toBe('/calls/9');
});
