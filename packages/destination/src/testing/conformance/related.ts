/** Records that the person has already: a call log is linked to them once, and no repeat undoes what a colleague did to the links. */
import type { Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { makeMemoryCommons } from '../memory-context.ts';
import type { SampleCall } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, type RelatedKind, write } from './harness.ts';

const PHONE = '+14155550142';
const OTHER = '+14155550143';
const SAID = 'ada@example.com';

export function related({ account, connect, effects, makePlan }: CaseTools, kind: RelatedKind): void {
  const { word, object, add, linked, unlink } = kind;
  const planFor = (call: Partial<SampleCall> = {}, more: Partial<Plan> = {}): Plan => {
    const base = makePlan({ id: 'c1', phone: PHONE, task: false, ...call });
    const records = base.records.map((record) => ({
      ...record,
      associate: ['person', word],
      related: { [word]: { object } },
    }));
    return { ...base, records, ...more };
  };
  const replay = (written: Record<string, string>, call: Partial<SampleCall> = {}) =>
    planFor(call, { resume: { attempts: 1, records: written } });
  const log = async () => (await effects()).call_logs[0]?.id ?? '';

  test('a call log is linked to what is open, not to what is closed, and to nothing twice', async () => {
    const { open } = await add(account(), PHONE);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [planFor()], commons);
    expect(await linked(account(), ids(first).call_log ?? '')).toEqual([open]);
    const [again] = await write(destination, [replay(ids(first))], commons);
    expect(ids(again)).toEqual(ids(first));
    expect(await linked(account(), await log())).toEqual([open]);
  });

  test('a link that a colleague took off stays off, and what the person has had since is not linked', async () => {
    const { open } = await add(account(), PHONE);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [planFor()], commons);
    await unlink(account(), await log(), open);
    await write(destination, [replay(ids(first))], commons);
    expect(await linked(account(), await log())).toEqual([]);
    const [second] = await write(destination, [planFor({ id: 'c2' })], commons);
    expect(await linked(account(), ids(second).call_log ?? '')).toEqual([open]);
  });

  test('a look-up that failed is no empty one: the log waits, and is linked by the next attempt', async () => {
    const { open } = await add(account(), PHONE);
    const destination = await connect();
    const commons = makeMemoryCommons();
    // What is to be known of the account is known.
    await write(destination, [planFor({ id: 'c0', phone: OTHER })], commons);
    account().trouble('fails', 'related', null);
    const plan = planFor();
    const [failed] = await write(destination, [plan], commons);
    expect(failure(failed)).toMatchObject({ next: 'retry', details: { record: 'call_log' } });
    expect((await effects()).call_logs).toHaveLength(1);
    account().calm();
    const outcome = await deliver(destination, { ...plan, resume: { attempts: 1, records: {} } }, commons);
    expect(await linked(account(), ids(outcome).call_log ?? '')).toEqual([open]);
  });

  test('an answer that was lost leaves one log with its links', async () => {
    const { open } = await add(account(), PHONE);
    const destination = await connect();
    account().trouble('lost', 'create-call-log');
    await deliver(destination, planFor(), makeMemoryCommons());
    expect((await effects()).call_logs).toHaveLength(1);
    expect(await linked(account(), await log())).toEqual([open]);
  });

  test('a replay that finds another person takes the log along, with what that person has', async () => {
    await add(account(), PHONE);
    const other = await add(account(), OTHER);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [planFor()], commons);
    await write(destination, [replay(ids(first), { phone: OTHER })], commons);
    expect((await effects()).call_logs).toMatchObject([{ people: [other.person] }]);
    expect(await linked(account(), await log())).toEqual([other.open]);
  });

  test('one request more for one call or many, and a second where records have to be read', async () => {
    const phone = (n: number) => `+1415555${String(1000 + n)}`;
    for (let n = 0; n < 20; n += 1) await add(account(), phone(n));
    const destination = await connect();
    const plans = (prefix: string) =>
      Array.from({ length: 20 }, (_, n) => planFor({ id: `${prefix}${n}`, phone: phone(n) }));
    const commons = makeMemoryCommons();
    const unrelated = (prefix: string) =>
      plans(prefix).map((plan) => ({
        ...plan,
        records: plan.records.map(({ related: _, ...record }) => ({ ...record, associate: ['person'] })),
      }));
    await write(destination, unrelated('a'), commons);
    const counted = async (some: Plan[]) => {
      const before = account().requests();
      const outcomes = await write(destination, some, commons);
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
      return account().requests() - before;
    };
    const without = await counted(unrelated('b'));
    // Once more for what is to be known of the account.
    await write(destination, plans('c'), commons);
    const more = (await counted(plans('d'))) - without;
    expect([1, 2]).toContain(more);
  });

  test('a call without a person, and one of whom only speech tells, are linked to nothing of theirs', async () => {
    await add(account(), PHONE, SAID);
    const destination = await connect();
    const unknown = planFor({ id: 'c1', phone: OTHER });
    const logged = { ...unknown, person: unknown.person && { ...unknown.person, unmatched: 'log_only' as const } };
    const base = planFor({ id: 'c2', phone: '' });
    const said: Plan = {
      ...base,
      person: base.person && { ...base.person, match: [{ by: 'email', value: SAID, said: true }] },
    };
    const outcomes = await write(destination, [logged, said]);
    for (const outcome of outcomes) expect(await linked(account(), ids(outcome).call_log ?? '')).toEqual([]);
  });
}
