/** What a person changed stays: of each kind of record, and of people, whatever comes again of the call. */
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { describe, expect, test } from 'vitest';
import { describeNote } from '../../port/omission.ts';
import { type MemoryCommons, makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, type WorkedOnKind, write } from './harness.ts';

const PHONE = '+14155550142';
const STAYS = 'a colleague changed this: stays.';

export function colleagues(tools: CaseTools): void {
  for (const kind of tools.harness.kinds) describe(kind.type, () => keepsRecords(tools, kind));
  keepsPeople(tools);
  survivesCrashes(tools);
}

/** How the same call can come again. */
const AGAIN = {
  'a late revision': { revised: true },
  'a repeat': {},
  'a replay': { resumed: true },
  'a replay with another mapping': { resumed: true, revised: true, hash: 'ba9876543210' },
} satisfies Record<string, { revised?: boolean; resumed?: boolean; hash?: string }>;

function keepsRecords({ account, connect, makePlan }: CaseTools, kind: WorkedOnKind): void {
  const { field, says, colleague } = kind;
  const planOf = (value: string) => planWith(makePlan({ id: 'c1', phone: PHONE, task: false }), kind, value);
  const present = async (id = '') => (await account().record(kind.object, id))[field];

  test('follows the call while no colleague has written there', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [planOf(says[0])], commons);
    const { [kind.type]: id } = ids(first);
    await write(destination, [{ ...planOf(says[1]), resume: { attempts: 1, records: ids(first) } }], commons);
    expect(await present(id)).toBe(says[1]);
    // What stands now is what was written last, not what stood there once: set back by hand, it stays.
    await account().change(kind.object, id ?? '', { [field]: says[0] });
    const [again] = await write(destination, [planOf(says[1])], commons);
    expect(await present(id)).toBe(says[0]);
    expect(notesOf(again)).toContain(`${kind.type}.${field}: ${STAYS}`);
  });

  for (const [how, { revised = false, resumed = false, hash }] of Object.entries(AGAIN) as [
    string,
    { revised?: boolean; resumed?: boolean; hash?: string },
  ][])
    test(`what a colleague changed stays, whatever ${how} says`, async () => {
      const destination = await connect();
      const commons = makeMemoryCommons();
      const [first] = await write(destination, [planOf(says[0])], commons);
      const written = ids(first);
      const id = written[kind.type] ?? '';
      await account().change(kind.object, id, { [field]: colleague });
      const plan = planOf(revised ? says[1] : says[0]);
      const again: Plan = {
        ...plan,
        ...(hash ? { mapping: { ...plan.mapping, hash } } : {}),
        ...(resumed || revised ? { resume: { attempts: 1, records: written } } : {}),
      };
      const [preview] = await destination.preview([again], makeMemoryContext(commons));
      const change = preview?.records.find(({ name }) => name === kind.type)?.fields.find((one) => one.field === field);
      expect(change).toMatchObject({ applies: false, why: 'a colleague changed this' });
      const [outcome] = await write(destination, [again], commons);
      expect(ids(outcome)[kind.type]).toBe(id);
      expect(await present(id)).toBe(colleague);
      expect(notesOf(outcome)).toContain(`${kind.type}.${field}: ${STAYS}`);
    });

  test('forward leads on and never back, and leaves what a colleague set back', async () => {
    const order = [says[0], says[1], colleague];
    const forward = (value: string): Plan => {
      const plan = planOf(value);
      const records = plan.records.map((record) => ({
        ...record,
        fields: record.fields.map((one) => (one.name === field ? { ...one, write: 'forward' as const, order } : one)),
      }));
      return { ...plan, records };
    };
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [forward(says[0])], commons);
    const { [kind.type]: id = '' } = ids(first);
    const again = (value: string) =>
      write(destination, [{ ...forward(value), resume: { attempts: 1, records: ids(first) } }], commons);
    await again(says[1]);
    expect(await present(id)).toBe(says[1]);
    await again(says[0]);
    expect(await present(id)).toBe(says[1]);
    await account().change(kind.object, id, { [field]: colleague });
    await again(says[1]);
    expect(await present(id)).toBe(colleague);
    await account().change(kind.object, id, { [field]: says[0] });
    await again(says[1]);
    expect(await present(id)).toBe(says[0]);
  });

  test('where nothing is known of what was written, what is filled stays, with a note', async () => {
    const destination = await connect();
    const [first] = await write(destination, [planOf(says[0])]);
    const again = { ...planOf(says[1]), resume: { attempts: 1, records: ids(first) } };
    const [outcome] = await write(destination, [again], makeMemoryCommons());
    expect(await present(ids(first)[kind.type])).toBe(says[0]);
    expect(notesOf(outcome).join()).toContain(`${kind.type}.${field}: it is not known whether`);
  });
}

function planWith(plan: Plan, { type, object, required, field }: WorkedOnKind, value: string): Plan {
  const [log] = plan.records;
  if (!log) throw new Error('a sample plan has a call log');
  const own = [...Object.entries(required), [field, value] as const].map(([name, one]) =>
    sampleField(name, one, name === field ? 'if_ours' : 'overwrite', 50),
  );
  if (type === 'call_log') {
    const others = log.fields.filter(({ name }) => !own.some((one) => one.name === name));
    return { ...plan, records: [{ ...log, fields: [...others, ...own] }] };
  }
  const record: RecordPlan = {
    type,
    object,
    name: type,
    key: `${plan.key}:${type}`,
    fields: own,
    associate: ['person'],
  };
  return { ...plan, records: [log, record] };
}

function notesOf(outcome: Awaited<ReturnType<typeof write>>[number] | undefined): string[] {
  if (!outcome?.ok) throw new Error('it was not written');
  return outcome.receipt.notes.map(describeNote);
}

function keepsPeople({ names, account, connect, effects, makePlan }: CaseTools): void {
  const call = (id: string, first_name: string, ended_at: string) =>
    makePlan({ id, phone: PHONE, first_name, ended_at, task: false });
  const firstName = async () => (await effects()).people[0]?.properties[names.first_name];
  const [OLD, NEW, NEWEST] = ['2026-11-20T10:00:00.000Z', '2026-11-20T12:00:00.000Z', '2026-11-21T12:00:00.000Z'];

  test('the newest call does not undo what a colleague changed of its person, however it comes again; a later call may', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    await write(destination, [call('old', 'Old', OLD)], commons);
    const [newest] = await write(destination, [call('new', 'New', NEW)], commons);
    const written = ids(newest);
    // No colleague changed it: a revision is followed.
    await write(destination, [{ ...call('new', 'Anew', NEW), resume: { attempts: 1, records: written } }], commons);
    expect(await firstName()).toBe('Anew');

    await account().change(account().person, written.person ?? '', { [names.first_name]: 'By hand' });
    const revised = call('new', 'Renewed', NEW);
    const replayed = { ...revised, resume: { attempts: 1, records: written } };
    const [preview] = await destination.preview([replayed], makeMemoryContext(commons));
    expect(preview?.records[0]?.fields.find(({ field }) => field === names.first_name)).toMatchObject({
      applies: false,
      why: 'a colleague changed this',
    });
    for (const plan of [revised, replayed, { ...replayed, mapping: { ...replayed.mapping, hash: 'ba9876543210' } }]) {
      const [outcome] = await write(destination, [plan], commons);
      expect(await firstName()).toBe('By hand');
      expect(notesOf(outcome)).toContain(`person.${names.first_name}: ${STAYS}`);
    }
    await write(destination, [call('old', 'Older', OLD)], commons);
    expect(await firstName()).toBe('By hand');
    await write(destination, [call('top', 'Top', NEWEST)], commons);
    expect(await firstName()).toBe('Top');
  });

  test('a call that comes again without anything known of what it wrote fills gaps alone', async () => {
    const destination = await connect();
    const [first] = await write(destination, [call('new', 'New', NEW)]);
    const again = { ...call('new', 'Renewed', NEW), resume: { attempts: 1, records: ids(first) } };
    const [outcome] = await write(destination, [again], makeMemoryCommons());
    expect(await firstName()).toBe('New');
    expect(notesOf(outcome).join()).toContain(`person.${names.first_name}: it is not known whether`);
  });

  test('what a second route of the same call says of the person for the first time is written', async () => {
    const [person] = await account().addPeople([{ phone: PHONE, first_name: 'Imported' }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE, last_name: 'Lovelace', task: false });
    await write(destination, [plan], commons);
    await write(
      destination,
      [{ ...makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada', task: false }), route: 'other' }],
      commons,
    );
    const { people } = await effects();
    expect(people.find(({ id }) => id === person)?.properties).toMatchObject({
      [names.first_name]: 'Ada',
      [names.last_name]: 'Lovelace',
    });
  });

  test('a call that was written while it was under way is written again when it has ended', async () => {
    const [person] = await account().addPeople([{ phone: PHONE, first_name: 'Imported' }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const begun = makePlan({ id: 'c1', phone: PHONE, last_name: 'Lovelace', task: false, ended_at: OLD });
    const [first] = await write(destination, [begun], commons);
    const ended = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada', task: false, ended_at: NEW });
    await write(destination, [{ ...ended, resume: { attempts: 1, records: ids(first) } }], commons);
    const { people } = await effects();
    expect(people.find(({ id }) => id === person)?.properties).toMatchObject({ [names.first_name]: 'Ada' });
  });
}

/** A process that dies between the CRM's commit and its own note. */
function survivesCrashes({ names, account, connect, effects, makePlan }: CaseTools): void {
  const crash = async (
    moment: 'create-person' | 'update-person' | 'create-task',
    plan: Plan,
    commons: MemoryCommons,
  ) => {
    account().trouble('unanswered', moment);
    const [outcome] = await write(await connect(), [plan], commons, { within: 700 });
    expect(failure(outcome).next).toBe('retry');
    account().calm();
    const next = { ...plan, resume: { attempts: 1, records: {} } };
    return deliver(await connect(), next, commons);
  };
  const subject = async () => (await effects()).tasks[0]?.properties[names.subject];
  const titled = (plan: Plan, title: string): Plan => ({
    ...plan,
    records: plan.records.map((record) => ({
      ...record,
      fields: record.fields.map((field) =>
        field.name === names.subject && record.name !== 'call_log' ? { ...field, value: title } : field,
      ),
    })),
  });

  test('what it wrote to a record is known for its own, and what a colleague wrote afterwards is not', async () => {
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE });
    const written = ids(await crash('create-task', plan, commons));
    const destination = await connect();
    const resume = { attempts: 1, records: written };
    await write(destination, [{ ...titled(plan, 'Revised'), resume }], commons);
    expect(await subject()).toBe('Revised');
    await account().change(names.task, written['call-back'] ?? '', { [names.subject]: 'By hand' });
    await write(destination, [{ ...titled(plan, 'Revised again'), resume }], commons);
    expect(await subject()).toBe('By hand');
  });

  for (const moment of ['create-person', 'update-person'] as const)
    test(`what it wrote to a person (${moment}) is known for its own, and what a colleague wrote afterwards is not`, async () => {
      if (moment === 'update-person') await account().addPeople([{ phone: PHONE, first_name: 'Imported' }]);
      const commons = makeMemoryCommons();
      const plan = (first_name: string) => makePlan({ id: 'c1', phone: PHONE, first_name, task: false });
      const written = ids(await crash(moment, plan('Ada'), commons));
      const firstName = async () => (await effects()).people[0]?.properties[names.first_name];
      const destination = await connect();
      const resume = { attempts: 1, records: written };
      await write(destination, [{ ...plan('Grace'), resume }], commons);
      expect(await firstName()).toBe('Grace');
      await account().change(account().person, written.person ?? '', { [names.first_name]: 'By hand' });
      await write(destination, [{ ...plan('Joan'), resume }], commons);
      expect(await firstName()).toBe('By hand');
    });
}
