/** One call, one effect: whatever is repeated, lost or done at the same time. */
import { expect, test } from 'vitest';
import { type Memory, WRITTEN_NOTES } from '../../port/context.ts';
import { type MemoryCommons, makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, idsIn, type LowerStep, write } from './harness.ts';

const PHONE = '+14155550142';

interface OnceTools extends CaseTools {
  step: LowerStep | undefined;
  /** False: the promise holds among processes that share a memory, and no further. */
  keyed: boolean;
  /** What another process knows of what this one did. */
  elsewhere(commons: MemoryCommons): MemoryCommons;
  expectOneOfEach(): Promise<void>;
}

/** @param step the lower step of the key ladder that the account allows */
export function exactlyOnce(tools: CaseTools, step?: LowerStep): void {
  const keyed = step !== 'map';
  const once: OnceTools = {
    ...tools,
    step,
    keyed,
    elsewhere: (commons) => (keyed ? makeMemoryCommons() : commons),
    async expectOneOfEach() {
      const { people, call_logs, tasks } = await tools.effects();
      expect([people.length, call_logs.length, tasks.length]).toEqual([1, 1, 1]);
      expect(call_logs[0]?.people).toEqual([people[0]?.id]);
      expect(tasks[0]?.people).toEqual([people[0]?.id]);
    },
  };
  writesOnce(once);
  heals(once);
  writesAtOnce(once);
  resumes(once);
  if (!step) countsCalls(once);
  if (!step) keepsOrder(once);
}

/** Repeats add nothing. */
function writesOnce({ account, connect, effects, makePlan, keyed, expectOneOfEach }: OnceTools): void {
  test('one call of an unknown caller becomes one person, one call log and one task, linked', async () => {
    const destination = await connect();
    const [outcome] = await write(destination, [makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' })]);
    const { people, call_logs, tasks } = await effects();
    expect(ids(outcome)).toEqual({ person: people[0]?.id, call_log: call_logs[0]?.id, 'call-back': tasks[0]?.id });
    await expectOneOfEach();
  });

  test('a repeat gives the same ids and adds nothing', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' });
    const [first] = await write(destination, [plan], commons);
    const [again] = await write(destination, [plan], commons);
    const [resumed] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }], commons);
    expect(ids(again)).toEqual(ids(first));
    expect(ids(resumed)).toEqual(ids(first));
    await expectOneOfEach();
  });

  test.runIf(keyed)('a repeat without memory, while search does not see the person yet, adds nothing', async () => {
    const destination = await connect();
    account().searchSees(false);
    const plan = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' });
    const [first] = await write(destination, [plan], makeMemoryCommons());
    const [again] = await write(destination, [plan], makeMemoryCommons());
    expect(ids(again)).toEqual(ids(first));
    await expectOneOfEach();
  });
}

/** Answers that are lost, and processes that die. */
function heals({ account, connect, makePlan, keyed, elsewhere, expectOneOfEach }: OnceTools): void {
  for (const moment of ['create-person', 'create-call-log', 'create-task'] as const) {
    test(`an answer lost after the CRM has committed (${moment}) is healed in the same write`, async () => {
      const destination = await connect();
      account().trouble('lost', moment);
      const [outcome] = await write(destination, [makePlan({ id: 'c1', phone: PHONE })]);
      expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
      await expectOneOfEach();
    });

    // Without a key it cannot be known at once that a person was not created after all.
    test.runIf(keyed || moment !== 'create-person')(
      `a success that says nothing (${moment}) is not believed`,
      async () => {
        const destination = await connect();
        account().trouble('empty-success', moment);
        const [outcome] = await write(destination, [makePlan({ id: 'c1', phone: PHONE })]);
        expect(Object.keys(ids(outcome))).toEqual(['person', 'call_log', 'call-back']);
        await expectOneOfEach();
      },
    );

    test.runIf(keyed || moment !== 'create-person')(
      `a process that dies after the CRM has committed (${moment}) is taken over by another`,
      async () => {
        const plan = makePlan({ id: 'c1', phone: PHONE });
        const dying = await connect();
        account().trouble('unanswered', moment);
        const commons = makeMemoryCommons();
        const [outcome] = await write(dying, [plan], commons, { within: 700 });
        expect(failure(outcome).next).toBe('retry');
        account().calm();
        // With keys the other process knows nothing of the first but that it tried: no memory, no lease that would warn it.
        const next = { ...plan, resume: { attempts: 1, records: {} } };
        await deliver(await connect(), next, elsewhere(commons));
        await expectOneOfEach();
      },
    );
  }
}

/** Many deliveries of one call at the same time. */
function writesAtOnce({ account, connect, makePlan, keyed, expectOneOfEach }: OnceTools): void {
  test('fifty deliveries of one call at once, by two processes that share a memory, have one effect', async () => {
    const processes = [await connect(), await connect()];
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => deliver(processes[n % 2] ?? never(), plan, commons)),
    );
    expect(new Set(outcomes.map((outcome) => JSON.stringify(ids(outcome)))).size).toBe(1);
    await expectOneOfEach();
  });

  test.runIf(keyed)(
    'deliveries of one call at once without any shared memory or lease have one effect: the key decides',
    async () => {
      const plan = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' });
      account().searchSees(false);
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async () => deliver(await connect(), plan, makeMemoryCommons())),
      );
      expect(new Set(outcomes.map((outcome) => JSON.stringify(ids(outcome)))).size).toBe(1);
      await expectOneOfEach();
    },
  );

  test('the same plan fifty times in one write has one effect', async () => {
    const destination = await connect();
    const plan = makePlan({ id: 'c1', phone: PHONE });
    const outcomes = await write(destination, Array(50).fill(plan));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(ids(outcome)))).size).toBe(1);
    await expectOneOfEach();
  });
}

/** What an earlier attempt has done. */
function resumes({ names, account, connect, effects, makePlan, step, expectOneOfEach }: OnceTools): void {
  test('what an earlier attempt has done is not done again', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE });
    account().trouble('fails', 'create-task', null);
    const [outcome] = await write(destination, [plan], commons);
    const { done, records: there } = failure(outcome).details;
    expect(Object.keys(done ?? {})).toEqual(['person', 'call_log']);
    expect(idsIn(there)).toEqual(done);
    account().calm();
    const before = account().requests();
    const resume = { attempts: 1, records: done ?? {}, done: Object.keys(done ?? {}) };
    const [next] = await write(destination, [{ ...plan, resume }], commons);
    expect(ids(next)).toMatchObject(done ?? {});
    // The task and its link, and nothing else; where the account lowers the step, finding that out once.
    expect(account().requests() - before).toBeLessThanOrEqual(step ? 4 : 2);
    await expectOneOfEach();
  });

  test.runIf(step)('the probe says which step is in force', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE });
    await write(destination, [plan], commons);
    // What is written whatever stands there needs no reading first.
    const records = plan.records.map((record) => ({
      ...record,
      fields: record.fields.map((field) => ({ ...field, write: 'overwrite' as const })),
    }));
    await write(destination, [{ ...plan, records, resume: { attempts: 1, records: {} } }], commons);
    const { notes } = await destination.probe(makeMemoryContext(commons));
    expect(notes.join('\n')).toContain(`step ${step === 'read' ? 2 : 3} of 3`);
  });

  test('what is merely known to exist is written again: a replay says what the mapping says now', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const call = { id: 'c1', phone: PHONE };
    const [first] = await write(destination, [makePlan({ ...call, title: 'As it was' })], commons);
    const records = ids(first);
    const corrected = makePlan({ ...call, title: 'As it is now', resume: { attempts: 1, records } });
    const [replayed] = await write(destination, [corrected], commons);
    expect(ids(replayed)).toEqual(records);
    expect((await effects()).call_logs[0]?.properties[names.title]).toBe('As it is now');
    await expectOneOfEach();
  });
}

function never(): never {
  throw new Error('unreachable');
}

/** What `write: add` adds. Its mark is a property of the person, which the lowest step lacks. */
function countsCalls({ harness, account, connect, effects, makePlan }: CaseTools): void {
  test('a counter adds each call once, also of calls that share a write, come again, or were written without an answer', async () => {
    await account().addPeople([{ phone: PHONE }]);
    const destination = await connect();
    const plan = (id: string, hour: number) =>
      makePlan({
        ...{ id, phone: PHONE, ended_at: `2026-11-20T${hour}:00:00.400Z` },
        person_fields: [sampleField(harness.counter, 1, 'add')],
      });
    const count = async () => Number((await effects()).people[0]?.properties[harness.counter] ?? 0);
    await write(destination, [plan('c1', 10), plan('c2', 11)]);
    expect(await count()).toBe(2);
    // Nothing is remembered of them: the person's own mark says that they are in it.
    await write(destination, [plan('c2', 11)], makeMemoryCommons());
    const [again] = await write(destination, [plan('c3', 12), plan('c3', 12)], makeMemoryCommons());
    expect(await count()).toBe(3);
    await write(destination, [{ ...plan('c3', 12), resume: { attempts: 1, records: ids(again) } }]);
    await write(destination, [plan('c1', 10)]);
    expect(await count()).toBe(3);
  });

  test('a counter of a new person begins with the call', async () => {
    const destination = await connect();
    const plan = (id: string, hour: number) =>
      makePlan({
        ...{ id, phone: PHONE, ended_at: `2026-11-20T${hour}:00:00.000Z` },
        person_fields: [sampleField(harness.counter, 2, 'add')],
      });
    await write(destination, [plan('c1', 10), plan('c2', 11)]);
    await write(destination, [plan('c2', 11), plan('c3', 12)], makeMemoryCommons());
    expect((await effects()).people.map(({ properties }) => Number(properties[harness.counter]))).toEqual([6]);
  });
}

/** Two processes at one person. */
function keepsOrder({ names, account, connect, effects, makePlan }: CaseTools): void {
  test('of two calls of one person at two processes at once the newer stands', async () => {
    const commons = makeMemoryCommons();
    await account().addPeople([{ phone: PHONE, first_name: 'Known' }]);
    const older = makePlan({ id: 'old', phone: PHONE, first_name: 'Old', ended_at: '2026-11-20T10:00:00.000Z' });
    const newer = makePlan({ id: 'new', phone: PHONE, first_name: 'New', ended_at: '2026-11-20T12:00:00.000Z' });
    // The older one has looked the person up, and has not written yet.
    const looked = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    const memory: Memory = {
      get: async (key) => {
        if (key.startsWith(WRITTEN_NOTES.fields)) looked.resolve();
        if (key.startsWith(WRITTEN_NOTES.fields)) await goesOn.promise;
        return commons.memory.get(key);
      },
      set: (key, value, ttl) => commons.memory.set(key, value, ttl),
      delete: (key) => commons.memory.delete(key),
      digester: () => commons.memory.digester(),
    };
    const first = write(await connect(), [older], commons, { memory });
    await looked.promise;
    const [early] = await write(await connect(), [newer], commons);
    goesOn.resolve();
    ids((await first)[0]);
    ids(early?.ok ? early : await deliver(await connect(), newer, commons));
    expect((await effects()).people[0]?.properties[names.first_name]).toBe('New');
  });
}
