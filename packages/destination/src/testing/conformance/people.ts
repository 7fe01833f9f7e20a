/** The right person: found, created once, never guessed, never overwritten by older facts. */
import { expect, test } from 'vitest';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { sampleField } from '../sample-plan.ts';
import { type CaseTools, deliver, failure, ids, write } from './harness.ts';

const PHONE = '+14155550142';
const OTHER = '+14155550143';
const EMAIL = 'ada@example.com';

export function people(tools: CaseTools): void {
  findsPeople(tools);
  decides(tools);
  failsToLookUp(tools);
  movesCalls(tools);
  writesPeople(tools);
}

/** Who a call is about. */
function findsPeople({ names, account, connect, effects, makePlan }: CaseTools): void {
  test('two calls of one unknown number in one write make one person', async () => {
    const destination = await connect();
    const outcomes = await write(destination, [
      makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada' }),
      makePlan({ id: 'c2', phone: PHONE, last_name: 'Lovelace', ended_at: '2026-11-20T11:00:00.000Z' }),
    ]);
    expect(ids(outcomes[0]).person).toBe(ids(outcomes[1]).person);
    const now = await effects();
    expect(now.people).toHaveLength(1);
    expect(now.people[0]?.properties).toMatchObject({ [names.first_name]: 'Ada', [names.last_name]: 'Lovelace' });
    expect(now.call_logs).toHaveLength(2);
  });

  test('two calls of one unknown number at two processes make one person', async () => {
    const commons = makeMemoryCommons();
    account().searchSees(false);
    const outcomes = await Promise.all(
      ['c1', 'c2'].map(async (id) => deliver(await connect(), makePlan({ id, phone: PHONE }), commons)),
    );
    expect(ids(outcomes[0]).person).toBe(ids(outcomes[1]).person);
    expect((await effects()).people).toHaveLength(1);
  });

  test('a person created a moment ago is found although search lags', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    account().searchSees(false);
    const [first] = await write(destination, [makePlan({ id: 'c1', phone: PHONE })], commons);
    const [second] = await write(destination, [makePlan({ id: 'c2', phone: PHONE })], commons);
    expect(ids(second).person).toBe(ids(first).person);
  });

  test('a person is found by id, by address and by number, and only those who are meant', async () => {
    const [byId, byEmail, byPhone] = await account().addPeople([
      { first_name: 'Id' },
      { email: EMAIL },
      { phone: '(415) 555-0142' },
      { phone: '+44 20 7946 0142' },
    ]);
    const destination = await connect();
    const answers = await destination.find(
      [
        { match: [{ by: 'id', value: byId ?? '' }], properties: [names.first_name] },
        { match: [{ by: 'email', value: EMAIL.toUpperCase() }], properties: [] },
        { match: [{ by: 'phone', value: PHONE }], properties: [] },
        { match: [{ by: 'phone', value: OTHER }], properties: [] },
        {
          match: [
            { by: 'id', value: '999999999999' },
            { by: 'email', value: 'nobody@example.com' },
            { by: 'phone', value: PHONE },
          ],
          properties: [],
        },
      ],
      makeMemoryContext(),
    );
    expect(answers.map((answer) => (answer.found === 'one' ? answer.person.id : answer.found))).toEqual([
      byId,
      byEmail,
      byPhone,
      'none',
      byPhone,
    ]);
    expect(answers[0]).toMatchObject({ person: { properties: { [names.first_name]: 'Id' } } });
  });

  test('an ambiguous caller is parked with the candidates, and nothing is written', async () => {
    const candidates = await account().addPeople([{ phone: PHONE }, { phone: PHONE }]);
    const [outcome] = await write(await connect(), [makePlan({ id: 'c1', phone: PHONE })]);
    expect(failure(outcome)).toMatchObject({ code: 'ambiguous_person', next: 'park', details: { candidates } });
    expect(failure(outcome).hint).toBeTruthy();
    const now = await effects();
    expect([now.people.length, now.call_logs.length, now.tasks.length]).toEqual([2, 0, 0]);
  });

  test('the candidates of an ambiguous caller can be distinguished, in a preview and by their ids', async () => {
    const people = [
      { phone: PHONE, email: 'ada@example.com', first_name: 'Ada' },
      { phone: PHONE, first_name: 'Bea' },
    ];
    const candidates = await account().addPeople(people);
    const destination = await connect();
    const ctx = makeMemoryContext();
    const [preview] = await destination.preview([makePlan({ id: 'c1', phone: PHONE })], ctx);
    expect(preview).toMatchObject({ decision: 'park', hint: expect.stringMatching(/replay/) });
    const seen = preview?.person.found === 'many' ? preview.person.candidates : [];
    const questions = [...candidates, '999999999999'].map((value) => ({
      ...{ match: [{ by: 'id' as const, value }], properties: [], identify: true as const },
    }));
    const answers = await destination.find(questions, ctx);
    const found = answers.map((answer) => (answer.found === 'one' ? answer.person : undefined));
    expect(found.at(-1)).toBeUndefined();
    for (const [index, id] of candidates.entries()) {
      const { email, first_name } = people[index] ?? {};
      const who = { name: expect.stringContaining(first_name ?? '-'), phone: PHONE, ...(email ? { email } : {}) };
      expect(seen[index]).toMatchObject({ id, who });
      expect(found[index]).toMatchObject({ id, who });
    }
  });
}

/** What the policies make of it. */
function decides({ account, connect, effects, makePlan }: CaseTools): void {
  test('an ambiguous caller is the oldest or the most recent one where the mapping says so', async () => {
    const [oldest, recent] = await account().addPeople([{ phone: PHONE }, { phone: PHONE }]);
    const outcomes = await write(await connect(), [
      makePlan({ id: 'c1', phone: PHONE, ambiguous: 'oldest' }),
      makePlan({ id: 'c2', phone: PHONE, ambiguous: 'most_recent' }),
    ]);
    expect(outcomes.map((outcome) => ids(outcome).person)).toEqual([oldest, recent]);
  });

  test('an ambiguous caller is the one that an operator chose, for that call alone', async () => {
    const people = await account().addPeople([{ phone: PHONE }, { phone: PHONE }, { phone: PHONE }]);
    const [, second = ''] = people;
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada', chosen: [{ id: second }] });
    const [preview] = await destination.preview([plan], makeMemoryContext(commons));
    expect(preview).toMatchObject({ decision: 'use', person: { found: 'many' } });
    expect(preview?.records.find(({ name }) => name === 'person')?.id).toBe(second);
    const [chosen] = await write(destination, [plan], commons);
    // A repeat, as after a crash or a replay, changes nothing.
    const [again] = await write(destination, [plan], commons);
    expect([ids(chosen), ids(again).person]).toEqual([ids(again), second]);
    const now = await effects();
    expect([now.people.length, now.call_logs.length, now.tasks.length]).toEqual([3, 1, 1]);
    expect(now.call_logs[0]?.people).toEqual([second]);
    // The next call of the number waits for a decision of its own.
    const [next] = await write(destination, [makePlan({ id: 'c2', phone: PHONE })], commons);
    expect(failure(next)).toMatchObject({ code: 'ambiguous_person', details: { ambiguous_by: 'phone' } });
  });

  test('a choice for a number counts where several have it, and for no other way of finding them', async () => {
    const [first = '', second = ''] = await account().addPeople([{ phone: PHONE }, { phone: PHONE }]);
    const [alone = ''] = await account().addPeople([{ phone: OTHER }]);
    const destination = await connect();
    const outcomes = await write(destination, [
      makePlan({ id: 'c1', phone: PHONE, chosen: [{ id: first, of: 'phone' }] }),
      makePlan({ id: 'c2', phone: PHONE, ambiguous: 'most_recent', chosen: [{ id: first, of: 'phone' }] }),
      makePlan({ id: 'c3', phone: OTHER, chosen: [{ id: second, of: 'phone' }] }),
      makePlan({ id: 'c4', phone: PHONE, chosen: [{ id: first, of: 'email' }] }),
      makePlan({ id: 'c5', phone: PHONE, said: ['phone'], chosen: [{ id: first, of: 'phone' }] }),
    ]);
    expect(outcomes.slice(0, 3).map((outcome) => ids(outcome).person)).toEqual([first, first, alone]);
    expect(outcomes.slice(3).map((outcome) => failure(outcome).code)).toEqual(['ambiguous_person', 'ambiguous_person']);
    expect(failure(outcomes[4]).details).not.toHaveProperty('ambiguous_by');
  });

  test('a chosen person who is none of those found is no reason to write to anyone', async () => {
    const [first = '', second = ''] = await account().addPeople([{ phone: PHONE }, { phone: PHONE }]);
    const [stranger = ''] = await account().addPeople([{ phone: OTHER }]);
    const destination = await connect();
    const before = await effects();
    const outcomes = await write(destination, [
      makePlan({ id: 'c1', phone: PHONE, first_name: 'Ada', chosen: [{ id: stranger }] }),
      makePlan({ id: 'c2', phone: PHONE, first_name: 'Ada', chosen: [{ id: stranger, of: 'phone' }] }),
      makePlan({ id: 'c3', phone: OTHER, first_name: 'Ada', chosen: [{ id: first }] }),
      makePlan({ id: 'c4', phone: '+14155550144', first_name: 'Ada', chosen: [{ id: first }] }),
    ]);
    for (const outcome of outcomes) expect(failure(outcome)).toMatchObject({ code: 'ambiguous_person', next: 'park' });
    expect(outcomes.slice(0, 2).map((outcome) => failure(outcome).details.candidates)).toEqual([
      [first, second],
      [first, second],
    ]);
    expect(await effects()).toEqual(before);
    // Deleted since it was chosen: the other one alone has the number now, and is not who was meant.
    await account().deletePerson(first);
    const [gone] = await write(destination, [makePlan({ id: 'c5', phone: PHONE, chosen: [{ id: first }] })]);
    expect(failure(gone)).toMatchObject({ code: 'ambiguous_person', message: expect.stringContaining(first) });
    expect((await effects()).call_logs).toEqual([]);
  });
}

/** A look-up that failed is never an empty result. */
function failsToLookUp({ account, connect, effects, makePlan }: CaseTools): void {
  for (const trouble of ['fails', 'hangs', 'lost', 'throttled'] as const) {
    test(`a failed look-up (${trouble}) creates no person`, async () => {
      const destination = await connect({ timeout: 200 });
      // Named by id alone: if it counted as unknown, the call would be logged without a person.
      const [person = ''] = await account().addPeople([{ first_name: 'Known' }]);
      account().trouble(trouble, 'look-up', null);
      const plans = [
        makePlan({ id: 'c1', phone: PHONE }),
        makePlan({ id: 'c2', email: EMAIL }),
        makePlan({ id: 'c3', person }),
      ];
      const outcomes = await write(destination, plans, makeMemoryCommons(), { within: 1500 });
      expect(outcomes.map((outcome) => ['retry', 'throttle'].includes(failure(outcome).next))).toEqual([
        true,
        true,
        true,
      ]);
      const question = [{ match: plans[0]?.person?.match ?? [], properties: [] }];
      await expect(destination.find(question, makeMemoryContext(undefined, { within: 1500 }))).rejects.toThrow();
      expect(await effects()).toMatchObject({ people: [{ id: person }], call_logs: [], tasks: [] });
    });
  }
}

/** What a replay changes. */
function movesCalls({ names, account, connect, effects, makePlan }: CaseTools): void {
  test('log only: the call is logged without a person and without a task, and a replay attaches it', async () => {
    const destination = await connect();
    const plan = makePlan({ id: 'c1', phone: PHONE, unmatched: 'log_only' });
    const [outcome] = await write(destination, [plan]);
    expect(Object.keys(ids(outcome))).toEqual(['call_log']);
    expect(await effects()).toMatchObject({ people: [], call_logs: [{ people: [] }], tasks: [] });

    const [person] = await account().addPeople([{ phone: PHONE }]);
    const [replayed] = await write(destination, [{ ...plan, resume: { attempts: 1, records: ids(outcome) } }]);
    expect(ids(replayed)).toMatchObject({ person, call_log: ids(outcome).call_log });
    expect((await effects()).call_logs).toMatchObject([{ people: [person] }]);
  });

  test('a replay that finds another person moves the call log and the task to that person', async () => {
    const [wrong, right] = await account().addPeople([{ phone: PHONE }, { email: EMAIL }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [makePlan({ id: 'c1', phone: PHONE })], commons);
    expect(ids(first).person).toBe(wrong);
    const corrected = makePlan({ id: 'c1', email: EMAIL, resume: { attempts: 1, records: ids(first) } });
    const replayed = await deliver(destination, corrected, commons);
    expect(ids(replayed)).toEqual({ ...ids(first), person: right });
    const { people: all, call_logs, tasks } = await effects();
    expect(all.map(({ id }) => id)).toEqual([wrong, right]);
    expect(call_logs).toMatchObject([{ people: [right] }]);
    expect(tasks).toMatchObject([{ people: [right] }]);
  });

  test('an unmatched caller is skipped or parked where the mapping says so', async () => {
    const outcomes = await write(await connect(), [
      makePlan({ id: 'c1', phone: PHONE, unmatched: 'skip' }),
      makePlan({ id: 'c2', phone: OTHER, unmatched: 'park' }),
    ]);
    expect(outcomes[0]).toMatchObject({ ok: true, receipt: { records: [] } });
    expect(failure(outcomes[1])).toMatchObject({ code: 'unmatched_person', next: 'park' });
    expect(await effects()).toEqual({ people: [], call_logs: [], tasks: [] });
  });

  test('a call that lacks what the mapping requires waits for a person, found, new or read first, and nothing is written', async () => {
    await account().addPeople([{ phone: PHONE, first_name: 'Grace' }]);
    const destination = await connect();
    const at = { file: 'mappings/sample.yaml', line: 7, column: 3 };
    const parked = { field: 'call_log.topic', reason: 'vars.topic is not in the call', at };
    const known = { ...makePlan({ id: 'c1', phone: PHONE }), parked };
    const unknown = { ...makePlan({ id: 'c2', phone: OTHER }), parked };
    const logged = { ...makePlan({ id: 'c3', phone: OTHER, unmatched: 'log_only' }), parked };
    const whole = makePlan({ id: 'c4', phone: PHONE });
    const settled = { ...whole, needs: [names.first_name], settle: () => ({ ...whole, parked }) };
    const before = await effects();
    const outcomes = await write(destination, [known, unknown, logged, settled]);
    for (const outcome of outcomes)
      expect(failure(outcome)).toMatchObject({ code: 'required_value', next: 'park', details: { at } });
    expect(await effects()).toEqual(before);
    const previews = await destination.preview([known, settled], makeMemoryContext());
    expect(previews.map(({ decision }) => decision)).toEqual(['park', 'park']);
    expect(previews[0]?.hint).toMatch(/call_log\.topic is required, and absent/);
  });

  test('a call without number and address never creates a person', async () => {
    const [outcome] = await write(await connect(), [makePlan({ id: 'c1', first_name: 'Anonymous' })]);
    expect(Object.keys(ids(outcome))).toEqual(['call_log']);
    expect((await effects()).people).toEqual([]);
  });
}

/** What is written of people. */
function writesPeople({ harness, names, account, connect, effects, makePlan }: CaseTools): void {
  test('an older call does not overwrite what a newer one said, in whichever order they come', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const older = makePlan({
      id: 'old',
      phone: PHONE,
      first_name: 'Old',
      ended_at: '2026-11-20T10:00:00.000Z',
    });
    const newer = makePlan({
      id: 'new',
      phone: PHONE,
      first_name: 'New',
      ended_at: '2026-11-20T12:00:00.000Z',
    });
    const newest = makePlan({
      id: 'top',
      phone: PHONE,
      first_name: 'Top',
      ended_at: '2026-11-21T12:00:00.000Z',
    });
    const firstName = async () => (await effects()).people[0]?.properties[names.first_name];
    await write(destination, [newer], commons);
    await write(destination, [older], commons);
    expect(await firstName()).toBe('New');
    await write(destination, [newest, older], commons);
    expect(await firstName()).toBe('Top');
    await write(destination, [newer], makeMemoryCommons());
    expect(await firstName()).toBe('Top');
  });

  test('write modes: empty is filled, set stays set, a block is appended once for each call', async () => {
    const [person] = await account().addPeople([{ phone: PHONE, first_name: 'Kept' }]);
    const destination = await connect();
    const plan = (id: string, text: string, flag: boolean) =>
      makePlan({
        id,
        phone: PHONE,
        person_fields: [
          sampleField(names.first_name, 'Ignored', 'if_empty'),
          sampleField(names.last_name, `Filled by ${id}`, 'if_empty'),
          sampleField(harness.flag, flag, 'never_unset'),
          sampleField(harness.text, text, 'append'),
        ],
      });
    for (const [id, text, flag] of [
      ['c1', 'one', true],
      ['c2', 'two', false],
      ['c1', 'one again', false],
    ] as const)
      ids((await write(destination, [plan(id, text, flag)]))[0]);
    const properties = (await effects()).people.find(({ id }) => id === person)?.properties ?? {};
    expect(properties).toMatchObject({
      [names.first_name]: 'Kept',
      [names.last_name]: 'Filled by c1',
      [harness.flag]: 'true',
    });
    expect(properties[harness.text]).toMatch(/one again[\s\S]*two/);
    expect(properties[harness.text]).not.toMatch(/one\n/);
  });

  test('a mark that a colleague took back stays back when its call comes again; a later call may set it once more', async () => {
    const [person = ''] = await account().addPeople([{ phone: PHONE, first_name: 'Kept' }]);
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = (id: string, hour: number) =>
      makePlan({
        ...{ id, phone: PHONE, ended_at: `2026-11-20T${hour}:00:00.000Z` },
        person_fields: [sampleField(harness.flag, true, 'never_unset')],
      });
    const mark = async () => (await effects()).people.find(({ id }) => id === person)?.properties[harness.flag];
    const first = ids((await write(destination, [plan('c1', 10)], commons))[0]);
    expect(String(await mark())).toBe('true');
    await account().change(account().person, person, { [harness.flag]: 'false' });
    await write(destination, [{ ...plan('c1', 10), resume: { attempts: 1, records: first } }], commons);
    await write(destination, [plan('c1', 10)], commons);
    expect(String(await mark())).toBe('false');
    await write(destination, [plan('c2', 11)], commons);
    expect(String(await mark())).toBe('true');
  });

  test('a remembered person who was deleted meanwhile is looked up again, not lost', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const [first] = await write(destination, [makePlan({ id: 'c1', email: EMAIL })], commons);
    await account().deletePerson(ids(first).person ?? '');
    const outcome = await deliver(destination, makePlan({ id: 'c2', email: EMAIL, first_name: 'Ada' }), commons);
    expect(ids(outcome).person).not.toBe(ids(first).person);
    expect((await effects()).people).toHaveLength(1);
  });

  test('what the mapping reads of the person is read before its plan is settled', async () => {
    const [person] = await account().addPeople([{ phone: PHONE, first_name: 'Grace' }]);
    const base = makePlan({ id: 'c1', phone: PHONE });
    const plan = {
      ...base,
      needs: [names.first_name],
      settle: (found: Record<string, unknown>) =>
        makePlan({ id: 'c1', phone: PHONE, title: `For ${found[names.first_name]}` }),
    };
    const [outcome] = await write(await connect(), [plan]);
    expect(ids(outcome).person).toBe(person);
    expect((await effects()).call_logs[0]?.properties[names.title]).toBe('For Grace');
  });
}
