/** What a plan is that may change records and make none, and what a replay is of a plan. */
import { describe, expect, it, test } from 'vitest';
import {
  asReplay,
  decidePerson,
  type FieldWrite,
  type PersonPlan,
  type Plan,
  type RecordPlan,
} from '../src/model/plan.ts';
import { restrictPlan } from '../src/model/restrict-plan.ts';

const AT = { file: 'mappings/acme.yaml', line: 1, column: 1 };
const field = (name: string, value: string): FieldWrite => ({ name, value, write: 'overwrite', at: AT });

const record = (name: string, said: string, rest: Partial<RecordPlan> = {}): RecordPlan => ({
  ...{ type: 'task', object: 'tasks', name, key: `main:c1:${name}`, fields: [field('x', said)], associate: ['person'] },
  ...rest,
});

function planOf(records: RecordPlan[], rest: Partial<Plan> = {}): Plan {
  const plan = {
    ...{ key: 'main:c1', route: 'r', mapping: { name: 'm', hash: 'h' }, call: {}, ended_at: '2026-11-20T10:00:00Z' },
    ...{ person: null, records, left_out: [], needs: [], settle: () => plan },
    ...rest,
  } as unknown as Plan;
  return plan;
}

const personOf = (said: string, rest: Partial<PersonPlan> = {}): PersonPlan => ({
  ...{
    match: [],
    unmatched: 'create',
    ambiguous: 'park',
    key: said,
    create_as: 'contact',
    fields: [field('note', said)],
  },
  ...{ fallback: { name: said } },
  ...rest,
});

describe('a revision of which only a signature vouches for a part', () => {
  it('says what stands in records that are there, under their keys, owners and links', () => {
    const owner = { property: 'owner', at: AT } as unknown as NonNullable<RecordPlan['owner']>;
    const before = record('call_log', 'old', { key: 'proved', owner, associate: ['person'], labels: { person: 'a' } });
    const now = record('call_log', 'new', { key: 'claimed', associate: ['person', 'deal'], labels: { deal: 'b' } });
    const { plan, withheld } = restrictPlan(planOf([before]), planOf([now]), new Set());
    expect(plan.records).toEqual([{ ...before, fields: now.fields }]);
    expect(withheld).toEqual([]);
  });

  it('changes a record that an earlier delivery has written, without owner and links', () => {
    const owner = { property: 'owner', at: AT } as unknown as NonNullable<RecordPlan['owner']>;
    const whole = planOf([record('known', 'x', { owner, labels: { person: 'a' } }), record('new', 'x')]);
    const { plan, withheld } = restrictPlan(planOf([]), whole, new Set(['known', 'other']));
    expect(plan.records).toEqual([{ ...record('known', 'x'), associate: [] }]);
    expect(withheld).toEqual(['new']);
  });

  it('finds the person by what is proved, and says of them what the whole call says', () => {
    const [proved, whole] = [personOf('proved'), personOf('whole')];
    const person = (one: PersonPlan | null, other: PersonPlan | null) =>
      restrictPlan(planOf([], { person: one }), planOf([], { person: other }), new Set()).plan.person;
    expect(person(proved, whole)).toEqual({ ...proved, fields: whole.fields });
    expect(person(proved, null)).toEqual(proved);
    expect(person(null, whole)).toBeNull();
  });

  it('is restricted also once the person is known, and is the whole call otherwise', () => {
    const settled = planOf([record('new', 'x')], { route: 'settled' });
    const { plan } = restrictPlan(planOf([]), planOf([], { needs: ['title'], settle: () => settled }), new Set());
    expect([plan.needs, plan.route]).toEqual([['title'], 'r']);
    expect(plan.settle({})).toMatchObject({ route: 'settled', records: [] });
  });
});

test('a replay goes over what is known to be written, and is the plan itself where nothing is', () => {
  const plan = planOf([]);
  expect(asReplay(plan, [])).toBe(plan);
  const written = [
    { name: 'person', id: '7' },
    { name: 'call_log', id: '9' },
  ];
  expect(asReplay(plan, written)).toEqual({
    ...plan,
    resume: { attempts: 1, records: { person: '7', call_log: '9' } },
  });
});

test.each([
  ['one', {}, 'use'],
  ['one', { ambiguous: 'park', unmatched: 'park' }, 'use'],
  ['many', { ambiguous: 'park' }, 'park'],
  ['many', { ambiguous: 'oldest' }, 'use'],
  ['many', { ambiguous: 'most_recent', unmatched: 'park' }, 'use'],
  ['none', { unmatched: 'create' }, 'create'],
  ['none', { unmatched: 'create', key: null }, 'log_only'],
  ['none', { unmatched: 'park', key: null }, 'park'],
  ['none', { unmatched: 'skip' }, 'skip'],
  ['none', { unmatched: 'log_only' }, 'log_only'],
] as const)('of %s found a person with %j is decided: %s', (found, rest, decision) => {
  expect(decidePerson(personOf('x', rest), found)).toBe(decision);
});
