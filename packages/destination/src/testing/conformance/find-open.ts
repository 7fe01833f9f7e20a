/** Records that are there already, found by what they are: the open one of a person, or one whose fields say so. */
import type { Plan, RecordFind, RecordPlan } from '@wrapup/mapping';
import { describe, expect, test } from 'vitest';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, type WorkedOnKind, write } from './harness.ts';

const PHONE = '+14155550142';
const AT = { file: 'mappings/sample.yaml', line: 70, column: 5 };

export function findOpen(tools: CaseTools): void {
  for (const kind of tools.harness.kinds) {
    if (kind.closes) describe(`${kind.type}, open`, () => findsOpenOnes(tools, kind));
    if (kind.findable && kind.found_by)
      describe(`${kind.type}, by ${kind.found_by}`, () => findsByValues(tools, kind, kind.found_by ?? ''));
  }
}

interface FindingCall {
  phone?: string;
  ended_at?: string;
  /** Absent: the record is the call's own. */
  find?: Partial<RecordFind>;
  /** Further fields of the record. */
  fields?: Record<string, string>;
}

/** A plan whose record `known` says `value`. */
function plansOf({ makePlan }: CaseTools, kind: WorkedOnKind) {
  const order = [...kind.says, kind.colleague];
  return (call: string, value: string, { phone = PHONE, ended_at, find, fields = {} }: FindingCall = {}): Plan => {
    const base = makePlan({ id: call, phone, task: false, ...(ended_at ? { ended_at } : {}) });
    const required = Object.entries(kind.required).map(([name, one]) => sampleField(name, one, 'if_empty', 71));
    const more = Object.entries(fields).map(([name, one]) => sampleField(name, one, 'if_ours', 73));
    const record: RecordPlan = {
      ...{ type: kind.type, object: kind.object, name: 'known', key: `${base.key}:known`, associate: ['person'] },
      fields: [...required, ...more, { ...sampleField(kind.field, value, 'forward', 72), order }],
      ...(find ? { find: { none: 'create', several: 'park', at: AT, why: 'there is none', ...find } } : {}),
    };
    // Only contacts have records of such kinds in every CRM.
    const person = base.person && { ...base.person, create_as: 'contact' };
    return { ...base, person, records: [...base.records, record] };
  };
}

const OPEN = { open: true, key: 'find:known' } as const;
const later = (minutes: number) => new Date(Date.UTC(2026, 10, 20, 10, minutes)).toISOString();

function findsOpenOnes(tools: CaseTools, kind: WorkedOnKind): void {
  const { account, connect } = tools;
  const { object, field, says, colleague } = kind;
  const planFor = plansOf(tools, kind);
  const value = async (id = '') => (await account().record(object, id))[field];
  const close = (id = '') => account().change(object, id, { [field]: colleague });

  test('of one it is found, moved on, and not made again', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [made] = await write(destination, [planFor('c1', says[0], { find: OPEN })], commons);
    const plan = planFor('c2', says[1], { find: OPEN, ended_at: later(5) });
    const [preview] = await destination.preview([plan], makeMemoryContext(commons));
    const shown = preview?.records.find(({ name }) => name === 'known');
    expect(shown).toMatchObject({ id: ids(made).known, did: 'update' });
    const [found] = await write(destination, [plan], commons);
    expect(ids(found).known).toBe(ids(made).known);
    expect(await value(ids(made).known)).toBe(says[1]);
  });

  test('of several the newest is taken, none is written, or a person decides, as the mapping says', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [older] = await write(destination, [planFor('c1', says[0])], commons);
    const [newer] = await write(destination, [planFor('c2', says[0])], commons);
    const both = [ids(newer).known ?? '', ids(older).known ?? ''];
    const asking = (call: string, several: RecordFind['several']) =>
      planFor(call, says[1], { find: { ...OPEN, ...(several ? { several } : {}) } });
    const [skipped] = await write(destination, [asking('c3', 'skip')], commons);
    expect(ids(skipped)).not.toHaveProperty('known');
    expect(skipped).toMatchObject({ receipt: { notes: [expect.stringMatching(/^known was not written: 2 open/)] } });
    const [parked] = await write(destination, [asking('c4', 'park')], commons);
    const { code, next, details, message } = failure(parked);
    expect([code, next, details.candidates, details.at]).toEqual(['ambiguous_record', 'park', both, AT]);
    for (const id of both) expect(message).toContain(id);
    expect(Object.keys(details.candidate_urls ?? {}).sort()).toEqual(details.candidate_urls ? both.toSorted() : []);
    const [preview] = await destination.preview([asking('c4', 'park')], makeMemoryContext(commons));
    expect(preview).toMatchObject({ decision: 'park', hint: expect.stringContaining(both[0] ?? '-') });
    const [taken] = await write(destination, [asking('c5', 'newest')], commons);
    expect([ids(taken).known, await value(both[0]), await value(both[1])]).toEqual([both[0], says[1], says[0]]);
  });

  test('where none is open one is made, left out, or a person decides', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [before] = await write(destination, [planFor('c1', says[0])], commons);
    await close(ids(before).known);
    const [skipped] = await write(destination, [planFor('c2', says[0], { find: { ...OPEN, none: 'skip' } })], commons);
    expect(ids(skipped)).not.toHaveProperty('known');
    const [parked] = await write(destination, [planFor('c3', says[0], { find: { ...OPEN, none: 'park' } })], commons);
    expect(failure(parked)).toMatchObject({ code: 'missing_record', next: 'park', details: { at: AT } });
    const plan = planFor('c4', says[0], { find: OPEN });
    const [preview] = await destination.preview([plan], makeMemoryContext(commons));
    expect(preview?.records.find(({ name }) => name === 'known')).toMatchObject({ did: 'create' });
    const [made] = await write(destination, [plan], commons);
    expect(ids(made).known).not.toBe(ids(before).known);
    expect([await value(ids(made).known), await value(ids(before).known)]).toEqual([says[0], colleague]);
  });

  test('calls of one person at once make one', async () => {
    const made = new Set<string | undefined>();
    const at = (n: number) => planFor(`c${n}`, says[0], { find: OPEN, ended_at: later(n) });
    // In one process, in several that share leases, and in some that share nothing: then the key alone decides.
    const commons = makeMemoryCommons();
    for (const outcome of await write(await connect(), [at(1), at(2)], commons)) made.add(ids(outcome).known);
    await close([...made][0]);
    made.clear();
    const others = [commons, commons, commons, makeMemoryCommons(), makeMemoryCommons()];
    const delivered = others.map(async (one, n) => deliver(await connect(), at(n + 3), one));
    for (const outcome of await Promise.all(delivered)) made.add(ids(outcome).known);
    expect(made.size).toBe(1);
    expect(await value([...made][0])).toBe(says[0]);
  });

  test('a call that dies after the creation knows its record again, also one that was closed in between', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = planFor('c1', says[0], { find: OPEN });
    const resumed = { ...plan, resume: { attempts: 1, records: {} } };
    const [made] = await write(destination, [plan], commons);
    for (const memory of [commons, makeMemoryCommons()]) {
      const [again] = await write(destination, [resumed], memory);
      expect(ids(again).known).toBe(ids(made).known);
    }
    await close(ids(made).known);
    const [again] = await write(destination, [resumed], commons);
    expect(ids(again).known).toBe(ids(made).known);
    expect(await value(ids(made).known)).toBe(colleague);
    // Another call makes the next one, and so does not every call after it.
    const [next] = await write(destination, [planFor('c2', says[0], { find: OPEN, ended_at: later(5) })], commons);
    const [third] = await write(destination, [planFor('c3', says[1], { find: OPEN, ended_at: later(6) })], commons);
    expect([ids(next).known === ids(made).known, ids(third).known]).toEqual([false, ids(next).known]);
  });

  test('a call that parked before it wrote anything is not the record that another call has made since', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = planFor('c1', says[1], { find: OPEN });
    const missing = { id: '999999999999999', none: 'park', at: AT, why: 'there is none' } as const;
    const other = plan.records
      .slice(-1)
      .map((record) => ({ ...record, name: 'other', key: `${record.key}-other`, find: missing }));
    const [parked] = await write(destination, [{ ...plan, records: [...plan.records, ...other] }], commons);
    expect(failure(parked)).toMatchObject({ code: 'missing_record', next: 'park' });
    const [made] = await write(destination, [planFor('c2', says[0], { find: OPEN, ended_at: later(5) })], commons);
    await close(ids(made).known);
    const [replayed] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }], commons);
    expect(ids(replayed).known).not.toBe(ids(made).known);
    expect([await value(ids(made).known), await value(ids(replayed).known)]).toEqual([colleague, says[1]]);
  });

  test('a replay and a revision change the same record, and leave what a colleague changed', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [other] = await write(destination, [planFor('c1', says[0])], commons);
    const plan = planFor('c2', says[1], { find: OPEN, ended_at: later(5) });
    const [first] = await write(destination, [plan], commons);
    expect(ids(first).known).toBe(ids(other).known);
    // A newer one is open by now, which a look would find.
    await close(ids(first).known);
    await write(destination, [planFor('c3', says[0])], commons);
    const resume = { attempts: 1, records: ids(first) };
    for (const again of [plan, planFor('c2', says[0], { find: OPEN, ended_at: later(5) })]) {
      const [outcome] = await write(destination, [{ ...again, resume }], commons);
      expect(ids(outcome).known).toBe(ids(first).known);
      expect(await value(ids(first).known)).toBe(colleague);
    }
  });

  test.each(['throttled', 'fails', 'lost', 'empty-success'] as const)(
    'a look that fails (%s) is never none',
    async (trouble) => {
      const destination = await connect();
      const commons = makeMemoryCommons();
      const [there] = await write(destination, [planFor('c1', says[0])], commons);
      account().trouble(trouble, 'related', null);
      const plan = planFor('c2', says[1], { find: OPEN });
      const [outcome] = await write(destination, [plan], commons);
      expect(['retry', 'throttle']).toContain(failure(outcome).next);
      await expect(destination.preview([plan], makeMemoryContext(commons))).rejects.toThrow();
      account().calm();
      // What the quota is believed to be is not what this is about.
      const [again] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }]);
      expect(ids(again).known).toBe(ids(there).known);
    },
  );

  test('a hundred calls that each find theirs cost at most four requests more', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const each = (prefix: string, call: (n: number) => FindingCall, says_now: string) =>
      Array.from({ length: 100 }, (_, n) =>
        planFor(`${prefix}${n}`, says_now, { phone: `+1415555${String(1000 + n)}`, ...call(n) }),
      );
    const there = (
      await write(
        destination,
        each('a', () => ({}), says[0]),
        commons,
      )
    ).map((one) => ids(one).known);
    const costs = async (plans: Plan[]) => {
      const before = account().requests();
      const outcomes = await write(destination, plans, commons);
      return { found: outcomes.map((one) => ids(one).known), requests: account().requests() - before };
    };
    const plain = each('b', () => ({}), says[0]).map((plan) => ({ ...plan, records: plan.records.slice(0, 1) }));
    const without = await costs(plain);
    const finding = await costs(each('c', () => ({ find: { ...OPEN, none: 'park' } }), says[1]));
    expect(finding.found).toEqual(there);
    expect(finding.requests).toBeLessThanOrEqual(without.requests + 4);
  });
}

function findsByValues(tools: CaseTools, kind: WorkedOnKind, by: string): void {
  const { account, connect } = tools;
  const { object, field, says } = kind;
  const planFor = plansOf(tools, kind);
  const value = async (id = '') => (await account().record(object, id))[field];
  const finding = (place: string, more: Partial<RecordFind> = {}): Partial<RecordFind> => ({
    by: [{ name: by, value: place }],
    key: `find:known:${place.toLowerCase()}`,
    ...more,
  });

  test('it is found for every caller, and one with another value is not', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [a] = await write(destination, [planFor('c1', says[0], { fields: { [by]: 'Hall 7' } })], commons);
    const [b] = await write(destination, [planFor('c2', says[0], { fields: { [by]: 'Hall 70' } })], commons);
    const outcomes = await write(
      destination,
      ['hall 7', 'Hall 70', 'Hall 700'].map((place, n) =>
        planFor(`d${n}`, says[1], { phone: `+1415555${1000 + n}`, find: finding(place, { none: 'skip' }) }),
      ),
      commons,
    );
    expect(outcomes.map((one) => ids(one).known)).toEqual([ids(a).known, ids(b).known, undefined]);
    expect(await value(ids(a).known)).toBe(says[1]);
    const several = planFor('c3', says[0], { fields: { [by]: 'Hall 7' } });
    const [twin] = await write(destination, [several], commons);
    const [parked] = await write(destination, [planFor('c4', says[1], { find: finding('Hall 7') })], commons);
    expect(failure(parked)).toMatchObject({ code: 'ambiguous_record' });
    expect(failure(parked).details.candidates).toEqual([ids(twin).known, ids(a).known]);
  });

  test('calls that look for one that is not there make one, also while search does not see it yet', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    account().searchSees(false);
    const plan = (n: number) =>
      planFor(`c${n}`, says[0], {
        ...{ phone: `+1415555${1000 + n}`, ended_at: later(n) },
        ...{ find: finding('Hall 9'), fields: { [by]: 'Hall 9' } },
      });
    const together = [1, 2, 3].map(async (n) =>
      deliver(await connect(), plan(n), n < 3 ? commons : makeMemoryCommons()),
    );
    const made = new Set((await Promise.all(together)).map((one) => ids(one).known));
    const [next] = await write(destination, [plan(4)], commons);
    expect([...made, ids(next).known]).toEqual([ids(next).known, ids(next).known]);
    // One that was renamed is another one: the next call makes its own.
    await account().change(object, ids(next).known ?? '', { [by]: 'Hall 10' });
    const [own] = await write(destination, [plan(5)], commons);
    expect(ids(own).known).not.toBe(ids(next).known);
  });
}
