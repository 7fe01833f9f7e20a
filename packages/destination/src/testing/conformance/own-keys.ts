/** Records with a key of their own: one for all calls that mean it. */
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, ids, write } from './harness.ts';

const PHONE = '+14155550142';
const OTHER = '+14155550143';

export function ownKeys({ harness, account, connect, makePlan }: CaseTools): void {
  const kind = harness.kinds.find(({ type }) => type === 'object');
  if (!kind) return;
  const { object, field, says, colleague } = kind;
  const plan = (id: string, value: string, more: { phone?: string; job?: string; ended_at?: string } = {}): Plan => {
    const { phone = PHONE, job = 'j-7', ended_at = '2026-11-20T10:00:00.000Z' } = more;
    const base = makePlan({ id, phone, task: false, ended_at });
    const record: RecordPlan = {
      ...{ type: kind.type, object, name: 'application', key: `own:application:${job}`, own_key: { person: true } },
      ...{ fields: [sampleField(field, value, 'if_ours', 60)], associate: ['person'] },
    };
    return { ...base, records: [...base.records, record] };
  };
  const value = async (id: string | undefined) => (await account().record(object, id ?? ''))[field];

  test('two calls of one person about one thing have one record, of another person or another thing one each', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [plan('c1', says[0])], commons);
    const later = plan('c2', says[1], { ended_at: '2026-11-20T11:00:00.000Z' });
    const others = [plan('c3', says[0], { job: 'j-8' }), plan('c4', says[0], { phone: OTHER })];
    const [second, third, fourth] = await write(destination, [later, ...others], commons);
    expect(ids(second).application).toBe(ids(first).application);
    expect(new Set([first, third, fourth].map((outcome) => ids(outcome).application)).size).toBe(3);
    expect(await value(ids(first).application)).toBe(says[1]);
    // The older call comes again, and changes nothing of what the later one said.
    const again = { ...plan('c1', says[0]), resume: { attempts: 1, records: ids(first) } };
    await write(destination, [again], commons);
    expect(await value(ids(first).application)).toBe(says[1]);
    const [preview] = await destination.preview([later], makeMemoryContext(commons));
    expect(preview?.records.find(({ name }) => name === 'application')).toMatchObject({
      did: 'update',
      id: ids(first).application,
    });
  });

  test('a hundred of them that are there cost one read and one write more, not one each', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const phone = (n: number) => `+1415555${String(1000 + n)}`;
    const all = (round: number, value: string) =>
      Array.from({ length: 100 }, (_, n) =>
        plan(`r${round}-${n}`, value, { phone: phone(n), ended_at: `2026-11-20T1${round}:00:00.000Z` }),
      );
    const first = await write(destination, all(0, says[0]), commons);
    const before = account().requests();
    const second = await write(destination, all(1, says[1]), commons);
    expect(second.map((outcome) => ids(outcome).application)).toEqual(first.map((outcome) => ids(outcome).application));
    // People, call logs, and of the records: read, written, linked.
    expect(account().requests() - before).toBeLessThanOrEqual(8);
  });

  test('two calls at once, at two processes that share nothing, have one record', async () => {
    const [one, other] = [await connect(), await connect()];
    await account().addPeople([{ phone: PHONE }]);
    const outcomes = await Promise.all([
      deliver(one, plan('c1', says[0]), makeMemoryCommons()),
      deliver(other, plan('c2', says[0]), makeMemoryCommons()),
    ]);
    expect(new Set(outcomes.map((outcome) => ids(outcome).application)).size).toBe(1);
  });

  test('what a colleague changed of it stays, for later calls, too', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [plan('c1', says[0])], commons);
    await account().change(object, ids(first).application ?? '', { [field]: colleague });
    await write(destination, [plan('c2', says[1], { ended_at: '2026-11-20T11:00:00.000Z' })], commons);
    expect(await value(ids(first).application)).toBe(colleague);
  });
}
