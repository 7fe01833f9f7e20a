/** What is written beside each other: a person, and the records of their call, of which one may be there when the other is refused. */
import type { FieldWrite, Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import type { WriteOutcome } from '../../port/destination.ts';
import { type MemoryCommons, makeMemoryCommons } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, idsIn, reached, write } from './harness.ts';

const PHONE = '+14155550142';
const OTHER = '+14155550143';

export function trips(tools: CaseTools): void {
  takesRecordsAlong(tools);
  remembersFields(tools);
  comesAgain(tools);
}

/** The person is refused when the call log is there. */
function takesRecordsAlong({ harness, names, account, connect, effects, makePlan }: CaseTools): void {
  const plan = () => makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' });
  const expectAllWith = async (person: string | undefined) => {
    const { call_logs, tasks } = await effects();
    expect([call_logs, tasks].map((all) => all.map(({ people }) => people))).toEqual([[[person]], [[person]]]);
  };
  /** From one person to a new one. */
  const giveNumber = async (person: string) => {
    await account().change(account().person, person, { [names.phone]: OTHER });
    return (await account().addPeople([{ phone: PHONE }]))[0];
  };
  const recordIds = async () => {
    const { call_logs, tasks } = await effects();
    return [...call_logs, ...tasks].map(({ id }) => id).toSorted();
  };
  const isLogged = async () => (await recordIds()).length === 2;
  /** What the failure names is what is there. */
  const expectAllNamed = async (outcome: WriteOutcome | undefined) =>
    expect(Object.values(idsIn(failure(outcome).details.records)).toSorted()).toEqual(await recordIds());

  test.skipIf(harness.after_person)(
    'one who is deleted while it is written to is looked up once more, and the records go along',
    async () => {
      const [person = ''] = await account().addPeople([{ phone: PHONE }]);
      const destination = await connect();
      const commons = makeMemoryCommons();
      account().trouble('held', 'update-person');
      const writing = deliver(destination, plan(), commons);
      // The records do not wait for the person.
      await reached(isLogged);
      await account().deletePerson(person);
      account().calm();
      const written = ids(await writing);
      expect(written.person).not.toBe(person);
      expect((await effects()).people).toMatchObject([{ id: written.person }]);
      await expectAllWith(written.person);
    },
  );

  test.skipIf(harness.after_person)(
    'one who is deleted while it is written to, and cannot be looked up once more, leaves records that the failure names',
    async () => {
      const [person = ''] = await account().addPeople([{ phone: PHONE }]);
      const destination = await connect();
      account().trouble('held', 'update-person');
      const writing = write(destination, [plan()]);
      await reached(isLogged);
      await account().deletePerson(person);
      account().calm();
      account().trouble('fails', 'search', 5);
      const [failed] = await writing;
      expect(failure(failed)).toMatchObject({ next: 'retry', details: { record: 'person' } });
      await expectAllNamed(failed);
    },
  );

  for (const trouble of ['fails', 'lost'] as const)
    test.skipIf(harness.after_person)(
      `an update without an answer (${trouble}) is tried again, and the records go along to the person who is found then`,
      async () => {
        const [person = ''] = await account().addPeople([{ phone: PHONE }]);
        const destination = await connect();
        const commons = makeMemoryCommons();
        account().trouble(trouble, 'update-person');
        const [failed] = await write(destination, [plan()], commons);
        expect(failure(failed)).toMatchObject({ next: 'retry', details: { record: 'person' } });
        expect(await isLogged()).toBe(true);
        // What the records are linked to is open still, so that nothing of it counts as done.
        expect(failure(failed).details.done).toBeUndefined();
        await expectAllNamed(failed);
        const next = await giveNumber(person);
        const again = await deliver(destination, { ...plan(), resume: { attempts: 1, records: {} } }, commons);
        expect(ids(again).person).toBe(next);
        await expectAllWith(next);
      },
    );

  test('another delivery at the person takes nothing back of what is done: the log stays with the person it was written for', async () => {
    const [person = ''] = await account().addPeople([{ phone: PHONE }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    account().trouble('fails', 'create-task', 5);
    const [first] = await write(destination, [plan()], commons);
    account().calm();
    const { done = {} } = failure(first).details;
    expect(Object.keys(done).toSorted()).toEqual(['call_log', 'person']);
    const resume = { attempts: 1, records: done, done: Object.keys(done) };
    const busy = { ...commons, lease: { take: async () => undefined } };
    const [second] = await write(destination, [{ ...plan(), resume }], busy);
    expect(failure(second).code).toBe('busy');
    expect(failure(second).details.done).toBeUndefined();
    const next = await giveNumber(person);
    const left = failure(second).details.done ?? done;
    const third = { ...plan(), resume: { attempts: 2, records: left, done: Object.keys(left) } };
    expect(ids(await deliver(destination, third, commons)).person).toBe(person);
    expect(next).not.toBe(person);
    await expectAllWith(person);
  });

  test.skipIf(harness.after_person)(
    'the next delivery of a person begins when it is noted whom the records of this one are linked to',
    async () => {
      await account().addPeople([{ phone: PHONE }]);
      const destination = await connect();
      const commons = makeMemoryCommons();
      const { memory, lease } = commons;
      const steps: string[] = [];
      const slow: MemoryCommons = {
        ...commons,
        memory: {
          get: (key) => memory.get(key),
          delete: (key) => memory.delete(key),
          digester: () => memory.digester(),
          async set(key, value, ttl) {
            const isNote = key.startsWith('former-person:');
            if (isNote) await new Promise((resolve) => setTimeout(resolve, 20));
            await memory.set(key, value, ttl);
            if (isNote) steps.push('noted');
          },
        },
        lease: {
          async take(keys, ttl) {
            const held = await lease.take(keys, ttl);
            const isPerson = keys.some((key) => key.startsWith('write:'));
            return (
              held && {
                async release() {
                  if (isPerson) steps.push('given back');
                  await held.release();
                },
              }
            );
          },
        },
      };
      account().trouble('fails', 'update-person', 5);
      const [failed] = await write(destination, [plan()], slow);
      expect(failure(failed).details.record).toBe('person');
      expect(steps).toEqual(['noted', 'given back']);
    },
  );

  test('one whose record refuses what the call says waits for a person, and the records go along to the person who is found then', async () => {
    const [person = ''] = await account().addPeople([{ phone: PHONE }]);
    const destination = await connect({ drop_refused_fields: false });
    const commons = makeMemoryCommons();
    const refused = makePlan({ id: 'c1', phone: PHONE, person_fields: [sampleField('no_such_field__c', 'x')] });
    const [parked] = await write(destination, [refused], commons);
    expect(failure(parked)).toMatchObject({ next: 'park', details: { field: 'no_such_field__c' } });
    await expectAllNamed(parked);
    const next = await giveNumber(person);
    const replayed = await deliver(destination, { ...plan(), resume: { attempts: 1, records: {} } }, commons);
    expect(ids(replayed).person).toBe(next);
    await expectAllWith(next);
  });
}

/** What is remembered of a person: which fields have a value. */
function remembersFields({ names, account, connect, effects, makePlan }: CaseTools): void {
  const filling = (id: string, value: string): Plan =>
    makePlan({
      ...{ id, phone: PHONE, task: false },
      person_fields: [
        sampleField(names.first_name, value, 'if_empty'),
        sampleField(names.last_name, value, 'if_empty'),
      ],
    });
  const values = async () => (await effects()).people[0]?.properties ?? {};

  test('fields that are known to be filled need no look at the person, and stay', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [filling('c1', 'Ada')], commons);
    // The account is known by now.
    await write(destination, [filling('c2', 'Ada')], commons);
    const person = ids(first).person ?? '';
    await account().change(account().person, person, { [names.first_name]: 'By hand' });
    const before = account().requests();
    const [again] = await write(destination, [filling('c3', 'Bea')], commons);
    expect(ids(again).person).toBe(person);
    expect(account().requests() - before).toBe(1);
    expect(await values()).toMatchObject({ [names.first_name]: 'By hand', [names.last_name]: 'Ada' });
  });

  test('a field of which nothing is known is looked at, and filled', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    await write(destination, [filling('c1', 'Ada')], commons);
    const noting = (id: string) => {
      const plan = filling(id, 'Bea');
      const fields = [...(plan.person?.fields ?? []), sampleField(names.note, 'Prefers mornings', 'if_empty')];
      return { ...plan, person: plan.person && { ...plan.person, fields } };
    };
    await write(destination, [noting('c2')], commons);
    expect(await values()).toMatchObject({ [names.first_name]: 'Ada', [names.note]: 'Prefers mornings' });
  });

  test('a call that comes again looks, whatever is remembered: what a colleague emptied is filled once more', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [filling('c1', 'Ada')], commons);
    await account().change(account().person, ids(first).person ?? '', { [names.first_name]: '' });
    const replayed = { ...filling('c1', 'Ada'), resume: { attempts: 1, records: ids(first) } };
    await write(destination, [replayed], commons);
    expect(await values()).toMatchObject({ [names.first_name]: 'Ada' });
  });

  test('one who was deleted while remembered so is looked up once more, and the call is logged with the person who is found', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [filling('c1', 'Ada')], commons);
    await account().deletePerson(ids(first).person ?? '');
    const [next] = await account().addPeople([{ phone: PHONE }]);
    const outcome = await deliver(destination, filling('c2', 'Bea'), commons);
    expect(ids(outcome).person).toBe(next);
    const { call_logs } = await effects();
    expect(call_logs.find(({ id }) => id === ids(outcome).call_log)?.people).toEqual([next]);
  });
}

/** What may be there is read while people are looked up. */
function comesAgain({ harness, names, account, connect, effects, makePlan }: CaseTools): void {
  const sharing = (id: string, phone = PHONE) => {
    const plan = makePlan({ id, phone, task: false });
    const fields = [sampleField(names.title, `Log of ${id}`, 'append', 9)];
    const records = plan.records.map((record) => ({
      ...record,
      fields,
      key: 'one-for-all',
      own_key: { person: false },
    }));
    return { ...plan, records };
  };
  /** Runs it while the look-up of a plan waits. */
  const duringLookUp = async (plan: Plan, commons: MemoryCommons, run: () => Promise<unknown>) => {
    const destination = await connect();
    const before = account().requests();
    account().trouble('held', 'search');
    const writing = write(destination, [plan], commons);
    await reached(async () => account().requests() > before);
    await run();
    account().calm();
    return ids((await writing)[0]);
  };

  test('two calls of one record with a key of its own each see what the other wrote', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const outcomes = await write(destination, [sharing('c1'), sharing('c2')], commons);
    expect(ids(outcomes[0]).call_log).toBe(ids(outcomes[1]).call_log);
    const { call_logs } = await effects();
    expect(call_logs).toHaveLength(1);
    for (const id of ['c1', 'c2']) expect(call_logs[0]?.properties[names.title]).toContain(`Log of ${id}`);
  });

  test('what calls of other people write to a record with a key of its own stays, however long a look-up takes', async () => {
    await account().addPeople([{ phone: OTHER }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    await write(destination, [sharing('c1')], commons);
    await duringLookUp(sharing('c2', OTHER), commons, async () =>
      // Who was created is remembered, and needs no search.
      ids((await write(destination, [sharing('c3')], commons))[0]),
    );
    const { call_logs } = await effects();
    expect(call_logs).toHaveLength(1);
    for (const id of ['c1', 'c2', 'c3']) expect(call_logs[0]?.properties[names.title]).toContain(`Log of ${id}`);
  });

  test('what a colleague writes to a call log stays, however long the look-up of a call that comes again takes', async () => {
    await account().addPeople([{ phone: PHONE }]);
    const commons = makeMemoryCommons();
    const saying = (title: string) => {
      const plan = makePlan({ id: 'c1', phone: PHONE, task: false });
      const others = (fields: FieldWrite[]) => fields.filter(({ name }) => name !== names.title);
      const records = plan.records.map((record) => ({
        ...record,
        fields: [...others(record.fields), sampleField(names.title, title, 'if_ours')],
      }));
      return { ...plan, records };
    };
    const first = ids((await write(await connect(), [saying('Call')], commons))[0]);
    const revised = { ...saying('Call, revised'), resume: { attempts: 1, records: first } };
    const log = harness.kinds.find(({ type }) => type === 'call_log')?.object ?? '';
    await duringLookUp(revised, commons, async () => {
      // Longer than what was read counts.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await account().change(log, first.call_log ?? '', { [names.title]: 'By hand' });
    });
    expect((await effects()).call_logs[0]?.properties[names.title]).toBe('By hand');
  });

  test('a read that fails is no record that is absent: nothing is written twice', async () => {
    const destination = await connect({ timeout: 300 });
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE });
    const [first] = await write(destination, [plan], commons);
    account().trouble('fails', 'any', 3);
    const resume = { attempts: 1, records: ids(first) };
    expect(ids(await deliver(destination, { ...plan, resume }, commons))).toEqual(ids(first));
    const { people, call_logs, tasks } = await effects();
    expect([people.length, call_logs.length, tasks.length]).toEqual([1, 1, 1]);
  });
}
