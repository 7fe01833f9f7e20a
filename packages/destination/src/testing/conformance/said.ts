/** What a caller only says: it may find a person, and never makes that person's record the caller's own. */
import { SAID_MARK } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { rememberIssued } from '../../engine/people/person-cache.ts';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { type CaseTools, deliver, ids, write } from './harness.ts';

const PHONE = '+14155550142';
const OTHER = '+14155550143';
const VICTIM = 'ceo@victim.example';

/** A call of Mallory's number that says the victim's address. */
const claim = (id: string, more: object = {}) => ({
  ...{ id, phone: PHONE, email: VICTIM, said: ['email' as const], first_name: 'Mallory' },
  ...more,
});

export function said(tools: CaseTools): void {
  findsBySaid(tools);
  createsBySaid(tools);
  trusts(tools);
}

/** A person who is found only by what was said. */
function findsBySaid({ names, account, connect, effects, makePlan }: CaseTools): void {
  test('who is found by an address that was only said gets call log and task, marked, and nothing of theirs is written', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const [before] = (await effects()).people;
    const [outcome] = await write(await connect(), [makePlan(claim('c1'))]);
    expect(outcome).toMatchObject({
      receipt: {
        records: expect.arrayContaining([expect.objectContaining({ name: 'person', id: victim, did: 'unchanged' })]),
        notes: [expect.stringContaining('only said')],
      },
    });
    const { people, call_logs, tasks } = await effects();
    expect(people).toEqual([before]);
    expect(call_logs).toMatchObject([{ people: [victim], properties: { [names.title]: `${SAID_MARK}: Call c1` } }]);
    expect(tasks).toMatchObject([{ people: [victim], properties: { [names.subject]: `${SAID_MARK}: Call back c1` } }]);
  });

  test('the number of such a call finds no person afterwards', async () => {
    await account().addPeople([{ email: VICTIM }]);
    const commons = makeMemoryCommons();
    const destination = await connect();
    await write(destination, [makePlan(claim('c1'))], commons);
    const question = { match: [{ by: 'phone' as const, value: PHONE }], properties: [] };
    expect(await destination.find([question], makeMemoryContext(commons))).toEqual([{ found: 'none' }]);
  });

  test('a given number is tried before an address that was said, wherever the mapping has it', async () => {
    const [, caller] = await account().addPeople([{ email: VICTIM }, { phone: PHONE }]);
    const [outcome] = await write(await connect(), [makePlan(claim('c1'))]);
    expect(ids(outcome).person).toBe(caller);
    const { people, call_logs } = await effects();
    expect(people.find(({ id }) => id === caller)?.properties[names.first_name]).toBe('Mallory');
    expect(call_logs).toMatchObject([{ people: [caller], properties: { [names.title]: 'Call c1' } }]);
  });

  test('in one write with the person’s own call, only that one is written to the person', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const outcomes = await write(await connect(), [
      makePlan({ id: 'own', email: VICTIM, last_name: 'Chief' }),
      makePlan(claim('c1', { last_name: 'Mallory', ended_at: '2026-11-20T12:00:00.000Z' })),
    ]);
    expect(outcomes.map((outcome) => ids(outcome).person)).toEqual([victim, victim]);
    const { people, call_logs } = await effects();
    expect(people).toHaveLength(1);
    expect(people[0]?.properties).toMatchObject({ [names.last_name]: 'Chief' });
    expect(people[0]?.properties[names.first_name] || null).toBeNull();
    expect(people[0]?.properties[names.phone] || null).toBeNull();
    const titles = call_logs.map(({ properties }) => properties[names.title]).toSorted();
    expect(titles).toEqual(['Call own', `${SAID_MARK}: Call c1`]);
  });

  test('a retry and a replay of such a call find out again how the person was found', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const [before] = (await effects()).people;
    const commons = makeMemoryCommons();
    const destination = await connect({ timeout: 200 });
    account().trouble('fails', 'create-call-log', 1);
    const first = await deliver(destination, makePlan(claim('c1')), commons);
    const replay = { ...makePlan(claim('c1')), resume: { attempts: 1, records: ids(first) } };
    const again = await deliver(destination, replay, commons);
    expect(ids(again)).toEqual(ids(first));
    const { people, call_logs } = await effects();
    expect(people).toEqual([before]);
    expect(call_logs).toMatchObject([{ people: [victim], properties: { [names.title]: `${SAID_MARK}: Call c1` } }]);
  });
}

/** A person whom nothing but speech names. */
function createsBySaid({ names, connect, effects, makePlan }: CaseTools): void {
  test('an address that no person has makes a new person, and a repeat of the call goes on with that person', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    const plan = makePlan({ id: 'c1', email: VICTIM, said: ['email'], first_name: 'Ada' });
    const first = await deliver(destination, plan, commons);
    const again = await deliver(destination, { ...plan, resume: { attempts: 1, records: ids(first) } }, commons);
    expect(ids(again)).toEqual(ids(first));
    // The next caller who says so may be another person.
    const next = makePlan({ id: 'c2', email: VICTIM, said: ['email'], first_name: 'Mallory' });
    expect(ids(await deliver(destination, next, commons)).person).toBe(ids(first).person);
    const { people, call_logs } = await effects();
    expect(people).toMatchObject([{ properties: { [names.first_name]: 'Ada', [names.email]: VICTIM } }]);
    const titles = call_logs.map(({ properties }) => properties[names.title]).toSorted();
    expect(titles).toEqual(['Call c1', `${SAID_MARK}: Call c2`]);
  });

  test('two callers who say one new address at the same moment make one person, and the second is not written to it', async () => {
    const commons = makeMemoryCommons();
    const outcomes = await Promise.all(
      [PHONE, OTHER].map(async (phone, index) =>
        deliver(await connect(), makePlan(claim(`c${index}`, { phone })), commons),
      ),
    );
    expect(ids(outcomes[0]).person).toBe(ids(outcomes[1]).person);
    const { people, call_logs } = await effects();
    expect(people).toHaveLength(1);
    const marked = call_logs.filter(({ properties }) => properties[names.title]?.startsWith(SAID_MARK));
    expect(marked).toHaveLength(1);
  });

  test('a caller who says the address of a new one at the same moment makes no second person', async () => {
    const commons = makeMemoryCommons();
    const calls = [{ id: 'own', email: VICTIM, last_name: 'Chief' }, claim('c1', { phone: OTHER })];
    const outcomes = await Promise.all(calls.map(async (call) => deliver(await connect(), makePlan(call), commons)));
    const { people } = await effects();
    expect(people.map(({ id }) => id)).toEqual([ids(outcomes[0]).person]);
    expect(ids(outcomes[1]).person).toBe(ids(outcomes[0]).person);
  });
}

/** What the mapping says of it, and what a preview tells. */
function trusts({ names, account, connect, effects, makePlan }: CaseTools): void {
  test('said: match treats what was said like what is given', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const [outcome] = await write(await connect(), [makePlan(claim('c1', { trust: 'match' }))]);
    expect(ids(outcome).person).toBe(victim);
    const { people, call_logs } = await effects();
    expect(people[0]?.properties).toMatchObject({ [names.first_name]: 'Mallory', [names.phone]: PHONE });
    expect(call_logs).toMatchObject([{ properties: { [names.title]: 'Call c1' } }]);
  });

  test('said: ignore looks for no person by what was said, and writes nothing onto the one who has it', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const [before] = (await effects()).people;
    const commons = makeMemoryCommons();
    const outcome = await deliver(await connect(), makePlan(claim('c1', { trust: 'ignore' })), commons);
    expect(ids(outcome).person).not.toBe(victim);
    const { people, call_logs } = await effects();
    expect(people.find(({ id }) => id === victim)).toEqual(before);
    expect(people).toHaveLength(2);
    expect(call_logs).toMatchObject([{ people: [ids(outcome).person] }]);
    // Without a number no later call could find the person.
    const withheld = makePlan({ id: 'c2', email: VICTIM, said: ['email'], trust: 'ignore' });
    expect(Object.keys(ids(await deliver(await connect(), withheld, commons)))).toEqual(['call_log']);
  });

  test('an id that the call claims counts only if it was given for that number', async () => {
    const [victim = '', caller = ''] = await account().addPeople([{ email: VICTIM }, { phone: PHONE }]);
    const commons = makeMemoryCommons();
    const destination = await connect();
    const claims = (id: string) =>
      makePlan({ id, phone: PHONE, person: victim, issued_to: PHONE, unmatched: 'log_only' });
    const preview = async () => (await destination.preview([claims('c0')], makeMemoryContext(commons)))[0]?.person;
    expect(await preview()).toMatchObject({ found: 'one', by: 'phone', person: { id: caller } });
    expect(ids((await write(destination, [claims('c1')], commons))[0]).person).toBe(caller);
    await rememberIssued(makeMemoryContext(commons), OTHER, victim);
    expect(await preview()).toMatchObject({ by: 'phone' });
    await rememberIssued(makeMemoryContext(commons), PHONE, victim);
    expect(await preview()).toMatchObject({ by: 'id', person: { id: victim } });
    expect(ids((await write(destination, [claims('c2')], commons))[0]).person).toBe(victim);
  });

  test('a preview tells that the address was only said, what is written, and what is left out', async () => {
    const [victim = ''] = await account().addPeople([{ email: VICTIM }]);
    const destination = await connect();
    const [preview] = await destination.preview([makePlan(claim('c1'))], makeMemoryContext());
    expect(preview).toMatchObject({
      person: { found: 'one', by: 'email', said: true, person: { id: victim } },
      decision: 'use',
    });
    expect(preview?.records.find(({ name }) => name === 'person')?.fields).toEqual([]);
    const title = preview?.records
      .find(({ name }) => name === 'call_log')
      ?.fields.find(({ field }) => field === names.title);
    expect(title?.to).toBe(`${SAID_MARK}: Call c1`);
    const left = preview?.left_out.filter(({ reason }) => reason.includes('only said')).map(({ field }) => field);
    expect(left).toEqual([`person.${names.first_name}`, `person.${names.phone}`, `person.${names.email}`]);
  });
}
