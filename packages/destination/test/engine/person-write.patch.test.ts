/** What calls make of one person in one write. */
import { describe, expect, it } from 'vitest';
import { makePatch } from '../../src/engine/people/person-write.ts';
import { recallWritten } from '../../src/engine/rows/written-values.ts';
import { Failure } from '../../src/port/failure.ts';
import { sampleField } from '../../src/testing/sample-plan.ts';
import { newContext, PLAIN_RULES, writeOf } from './support/sample.ts';

const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
const ms = (minute: number) => Date.parse(at(minute));

describe('the write of a person', () => {
  const crm = { fields: PLAIN_RULES, watermark: 'last_call' };
  const saying = (value: string, minute: number, mode: Parameters<typeof sampleField>[2] = 'overwrite', index = 0) =>
    writeOf({ id: `c${index}`, ended_at: at(minute), person_fields: [sampleField('note', value, mode)] }, index);

  it('is what the calls say one after another', () => {
    expect(makePatch(crm, 'contacts', [saying('late', 2), saying('early', 1)], {}, undefined).fields).toEqual({
      note: 'late',
    });
    const filling = [saying('first', 1, 'if_empty'), saying('second', 2, 'if_empty')];
    expect(makePatch(crm, 'contacts', filling, {}, undefined).fields).toEqual({ note: 'first' });
    expect(makePatch(crm, 'contacts', filling, undefined, undefined).fields).toEqual({ note: 'first' });
    expect(makePatch(crm, 'contacts', filling, { note: 'there' }, undefined).fields).toEqual({});
  });

  it('passes over plans whose person is written', () => {
    const done = { ...saying('done', 1), done: true };
    const patch = makePatch(crm, 'contacts', [done], {}, undefined);
    expect([patch.fields, patch.decided.has(done)]).toEqual([{}, false]);
  });

  it('takes placeholders for none', () => {
    const withoutPlaceholders = () => ({});
    const patch = makePatch(
      { ...crm, withoutPlaceholders },
      'contacts',
      [saying('x', 1, 'if_empty')],
      { note: 'unknown' },
      undefined,
    );
    expect(patch.fields).toEqual({ note: 'x' });
  });

  it('sets when the last call ended that asks for it, unless a later one has', () => {
    const newer = (minute: number, watermark?: number) =>
      makePatch(crm, 'contacts', [saying('x', minute, 'if_newer')], { note: 'old' }, watermark).fields;
    expect(newer(2)).toMatchObject({ last_call: at(2) });
    expect(newer(2, ms(1))).toEqual({ note: 'x', last_call: at(2) });
    expect(newer(2, ms(3))).toEqual({});
    expect('last_call' in makePatch(crm, 'contacts', [saying('x', 2)], {}, undefined).fields).toBe(false);
    const two = [saying('x', 1, 'if_newer', 0), saying('y', 2, 'if_newer', 1)];
    expect(makePatch(crm, 'contacts', two, {}, undefined).fields).toEqual({ note: 'y', last_call: at(2) });
  });

  it('sets it only where the object has it', () => {
    const has = (object: string) => object === 'contacts';
    const without = { ...crm, fields: { ...PLAIN_RULES, has } };
    const fields = (object: string) => makePatch(without, object, [saying('x', 2, 'if_newer')], {}, undefined).fields;
    expect([fields('contacts'), fields('leads')]).toEqual([{ note: 'x', last_call: at(2) }, { note: 'x' }]);
  });

  it('adds no more to a text than its field takes', () => {
    const limitOf = (object: string, name: string) => (object === 'contacts' && name === 'note' ? 40 : 0);
    const short = { ...crm, fields: { ...PLAIN_RULES, limitOf } };
    const { note } = makePatch(short, 'contacts', [saying('x'.repeat(60), 1, 'append')], {}, undefined).fields;
    expect(String(note)).toHaveLength(40);
  });

  it('remembers the values that have to be known again, of the call that said them last', () => {
    const ours = saying(' x ', 1, 'if_ours', 0);
    expect([...makePatch(crm, 'contacts', [ours], {}, undefined).remembered]).toEqual([['note', 'x']]);
    const plain = saying('y', 2, 'overwrite', 1);
    expect([...makePatch(crm, 'contacts', [ours, plain], {}, undefined).remembered]).toEqual([]);
  });

  it('leaves out what the account does not take, and writes nothing of a plan that is refused', () => {
    const refused = new Failure('missing_property', 'no');
    const dropped = [{ property: 'phone', failure: refused }];
    const verbs: unknown[] = [];
    const write = saying('x', 1);
    const fit = (rest: object) => ({
      ...crm,
      fields: {
        ...PLAIN_RULES,
        fit: (_object: string, fields: never[], { verb, person }: { verb: string; person?: boolean }) => {
          verbs.push(verb, person);
          return { fields, dropped, cut: new Map(), ...rest };
        },
      },
    });
    const patch = makePatch(fit({}) as never, 'contacts', [write], {}, undefined);
    expect([patch.fields, patch.dropped.get(write)]).toEqual([{ note: 'x' }, dropped]);
    const none = makePatch(fit({ refused }) as never, 'contacts', [write], undefined, undefined);
    expect([none.fields, none.refused.get(write), none.decided.size]).toEqual([{}, refused, 0]);
    expect(verbs).toEqual(['update', true, 'create', true]);
    expect(makePatch(crm, 'contacts', [write], {}, undefined).dropped.get(write)).toEqual([]);
  });

  it('asks of a person who exists whose values they have', async () => {
    const values = await recallWritten(newContext(), []);
    const known = { object: 'contacts', id: '7', values };
    const write = saying('x', 1, 'if_ours');
    const patch = makePatch(crm, 'contacts', [write], { note: 'by hand' }, undefined, known);
    expect(patch.fields).toEqual({ last_call: at(1) });
    expect(patch.decided.get(write)).toMatchObject([{ applies: false, field: { name: 'note' } }]);
    const set = new Set(['note']);
    const gap = makePatch(crm, 'contacts', [saying('x', 1, 'if_empty')], {}, undefined, { ...known, set });
    expect(gap.fields).toEqual({});
  });
});
