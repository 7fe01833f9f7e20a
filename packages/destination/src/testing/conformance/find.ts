/** Records that are there already: found by id, changed once a call, and left alone where a colleague changed them since. */
import type { Plan, RecordFind, RecordPlan } from '@wrapup/mapping';
import { describe, expect, test } from 'vitest';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, failure, ids, type WorkedOnKind, write } from './harness.ts';

const PHONE = '+14155550142';
const AT = { file: 'mappings/sample.yaml', line: 70, column: 5 };

export function find(tools: CaseTools): void {
  for (const kind of tools.harness.kinds.filter(({ findable }) => findable))
    describe(kind.type, () => findsRecords(tools, kind));
}

function findsRecords({ account, connect, makePlan }: CaseTools, kind: WorkedOnKind): void {
  const { object, field, says, colleague } = kind;
  const order = [says[0], says[1], colleague];
  const planFor = (
    call: string,
    value: string,
    id: string | undefined,
    more: Partial<RecordFind & { ended_at: string }> = {},
  ): Plan => {
    const { none = 'park', ended_at = '2026-11-20T10:00:00.000Z' } = more;
    const base = makePlan({ id: call, phone: PHONE, task: false, ended_at });
    const required = Object.entries(kind.required).map(([name, one]) => sampleField(name, one, 'if_empty', 71));
    const record: RecordPlan = {
      ...{ type: kind.type, object, name: 'known', key: `${base.key}:known`, associate: ['person'] },
      fields: [...required, { ...sampleField(field, value, 'forward', 72), order }],
      find: { ...(id === undefined ? {} : { id }), none, at: AT, why: 'the call has no vars.id' },
    };
    return { ...base, records: [...base.records, record] };
  };
  const value = async (id: string) => (await account().record(object, id))[field];
  /** A record that a colleague made. */
  const made = async (destination: Awaited<ReturnType<typeof connect>>) => {
    const [outcome] = await write(destination, [planFor('made', says[0], undefined, { none: 'create' })]);
    return ids(outcome).known ?? '';
  };

  test('if_newer writes what a later call says, also to a record that a colleague made, and never goes back', async () => {
    const destination = await connect();
    const id = await made(destination);
    const commons = makeMemoryCommons();
    const newer = (call: string, text: string, day: number): Plan => {
      const plan = planFor(call, text, id, { ended_at: `2026-11-${day}T10:00:00.000Z` });
      const fields = (record: RecordPlan) =>
        record.fields.map((one) => (one.name === field ? { ...one, write: 'if_newer' as const } : one));
      return { ...plan, records: plan.records.map((record) => ({ ...record, fields: fields(record) })) };
    };
    const [first] = await write(destination, [newer('c1', says[1], 20)], commons);
    expect(await value(id)).toBe(says[1]);
    await write(destination, [newer('c2', says[0], 21)], commons);
    await write(destination, [newer('c0', says[1], 19)], commons);
    await write(destination, [{ ...newer('c1', says[1], 20), resume: { attempts: 1, records: ids(first) } }], commons);
    expect(await value(id)).toBe(says[0]);
    await account().change(object, id, { [field]: colleague });
    await write(destination, [newer('c2', says[0], 21)], commons);
    expect(await value(id)).toBe(colleague);
  });

  test('a record is found by its id, moved on, linked, and not made again', async () => {
    const destination = await connect();
    const id = await made(destination);
    const commons = makeMemoryCommons();
    const plan = planFor('c1', says[1], id);
    const [preview] = await destination.preview([plan], makeMemoryContext(commons));
    expect(preview?.records.find(({ name }) => name === 'known')).toMatchObject({ id, did: 'update' });
    const [outcome] = await write(destination, [plan], commons);
    expect(outcome).toMatchObject({ ok: true });
    expect(ids(outcome).known).toBe(id);
    expect(await value(id)).toBe(says[1]);
    // Neither a replay nor an older call leads back, and what a colleague set back stays.
    await write(destination, [planFor('c0', says[0], id, { ended_at: '2026-11-19T10:00:00.000Z' })], commons);
    expect(await value(id)).toBe(says[1]);
    await account().change(object, id, { [field]: says[0] });
    await write(destination, [{ ...plan, resume: { attempts: 1, records: ids(outcome) } }], commons);
    expect(await value(id)).toBe(says[0]);
  });

  test('where none is found it is made, left out, or a person decides, as the mapping says', async () => {
    const destination = await connect();
    const outcomes = await write(destination, [
      planFor('c1', says[0], '999999999999999', { none: 'create' }),
      planFor('c2', says[0], 'no id at all', { none: 'skip' }),
      planFor('c3', says[0], undefined, { none: 'park' }),
    ]);
    expect(await value(ids(outcomes[0]).known ?? '')).toBe(says[0]);
    expect(ids(outcomes[1])).not.toHaveProperty('known');
    expect(outcomes[1]).toMatchObject({
      ok: true,
      receipt: { notes: [expect.stringMatching(/^known was not written:/)] },
    });
    expect(failure(outcomes[2])).toMatchObject({ code: 'missing_record', next: 'park', details: { at: AT } });
    const [preview] = await destination.preview([planFor('c4', says[0], undefined)], makeMemoryContext());
    expect(preview).toMatchObject({ decision: 'park', hint: expect.stringContaining('vars.id') });
  });

  test('a revision that names another record changes the one that the call was written to', async () => {
    const destination = await connect();
    const id = await made(destination);
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [planFor('c1', says[0], id)], commons);
    const resume = { attempts: 1, records: ids(first) };
    const [again] = await write(destination, [{ ...planFor('c1', says[1], '999999999999998'), resume }], commons);
    expect(ids(again).known).toBe(id);
    expect(await value(id)).toBe(says[1]);
  });

  test('two calls that find the same record in one write see what the other one wrote', async () => {
    const destination = await connect();
    const id = await made(destination);
    const later = planFor('c2', says[1], id, { ended_at: '2026-11-20T11:00:00.000Z' });
    const outcomes = await write(destination, [later, planFor('c1', says[0], id)]);
    expect(outcomes.map((outcome) => ids(outcome).known)).toEqual([id, id]);
    expect(await value(id)).toBe(says[1]);
  });

  test('a hundred calls that each find theirs cost at most four requests more', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const hundred = <Made>(make: (n: number) => Made) => Array.from({ length: 100 }, (_, n) => make(n));
    const phoned = (plan: Plan, n: number): Plan => {
      const other = makePlan({ id: 'x', phone: `+1415555${String(1000 + n)}`, task: false });
      return { ...plan, person: other.person };
    };
    const first = hundred((n) => phoned(planFor(`a${n}`, says[0], undefined, { none: 'create' }), n));
    const there = (await write(destination, first, commons)).map((outcome) => ids(outcome).known);
    const costs = async (plans: Plan[]) => {
      const before = account().requests();
      for (const outcome of await write(destination, plans, commons)) expect(outcome.ok).toBe(true);
      return account().requests() - before;
    };
    const plain = hundred((n) => phoned(planFor(`b${n}`, says[0], undefined), n)).map((plan) => ({
      ...plan,
      records: plan.records.filter(({ name }) => name !== 'known'),
    }));
    const without = await costs(plain);
    expect(await costs(hundred((n) => phoned(planFor(`c${n}`, says[1], there[n]), n)))).toBeLessThanOrEqual(
      without + 4,
    );
    expect(await value(there[7] ?? '')).toBe(says[1]);
  });
}
