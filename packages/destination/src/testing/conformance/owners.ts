/** Whom records are given to: the first active owner that the plan names. An owner never fails a delivery. */
import type { OwnerStep, Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { describeNote } from '../../port/omission.ts';
import { SAMPLE_PLACE, type SampleCall } from '../sample-plan.ts';
import { type CaseTools, ids, write } from './harness.ts';

const PHONE = '+14155550142';

export function owners({ names: { owner: property }, account, connect, effects, makePlan }: CaseTools): void {
  /** A plan whose person and task are given to the first of these. */
  function given(call: SampleCall, ...steps: OwnerStep[]): Plan {
    const planned = makePlan(call);
    const owner = { property, steps, at: { ...SAMPLE_PLACE, line: 30 } };
    return {
      ...planned,
      person: planned.person && { ...planned.person, owner },
      records: planned.records.map((record) => (record.name === 'call-back' ? { ...record, owner } : record)),
    };
  }
  const byId = (value: string): OwnerStep => ({ by: 'id', value });
  const byEmail = (value: string): OwnerStep => ({ by: 'email', value });

  async function ownersNow() {
    const { people, tasks } = await effects();
    return {
      people: people.map((one) => one.properties[property]),
      tasks: tasks.map((one) => one.properties[property]),
    };
  }

  test('a new person and the follow-up are given to whom the mapping names, by address or by id', async () => {
    const { active } = await account().owners();
    const [one, other] = [active[0], active[1]];
    const outcomes = await write(await connect(), [
      given({ id: 'c1', phone: PHONE }, byEmail(one.email.toUpperCase())),
      given({ id: 'c2', phone: '+14155550143' }, byId(other.id)),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: true, receipt: { notes: [] } });
    const now = await ownersNow();
    expect(now.people.toSorted()).toEqual([one.id, other.id].toSorted());
    expect(now.tasks.toSorted()).toEqual([one.id, other.id].toSorted());
  });

  test('who has left is passed over for the next in the order, with a note', async () => {
    const { active, gone } = await account().owners();
    const owned = given({ id: 'c1', phone: PHONE }, byId(gone.id), byEmail(gone.email), byId(active[0].id));
    const [outcome] = await write(await connect(), [owned]);
    expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
    expect(await ownersNow()).toEqual({ people: [active[0].id], tasks: [active[0].id] });
    expect(outcome).toMatchObject({
      receipt: { notes: [expect.stringContaining('sample.yaml:30'), expect.anything()] },
    });
  });

  for (const drop_refused_fields of [true, false])
    test(`an unknown owner fails nothing (refused fields are ${drop_refused_fields ? 'dropped' : 'parked'})`, async () => {
      const destination = await connect({ drop_refused_fields });
      const owned = given({ id: 'c1', phone: PHONE }, byEmail('nobody.of.ours@example.com'), byId('not-an-id'));
      const [outcome] = await write(destination, [owned]);
      expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
      const notes = outcome?.ok ? outcome.receipt.notes : [];
      expect(notes).toMatchObject([
        { code: 'unknown_owner', record: 'person', field: property },
        { code: 'unknown_owner', record: 'call-back', field: property },
      ]);
      expect(notes.map(describeNote).join('\n')).not.toContain('nobody.of.ours');
    });

  test('a person who has an owner keeps it, and a repeat changes nothing', async () => {
    const { active } = await account().owners();
    const destination = await connect();
    await write(destination, [given({ id: 'c1', phone: PHONE }, byId(active[0].id))]);
    const before = await ownersNow();
    const other = given({ id: 'c1', phone: PHONE }, byId(active[1].id));
    const [outcome] = await write(destination, [{ ...other, resume: { attempts: 1, records: {} } }]);
    expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
    expect(await ownersNow()).toEqual(before);
  });
}
