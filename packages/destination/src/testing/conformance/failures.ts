/** Many at once, each accounted for: neighbours, deadlines, tokens, quotas, and nothing personal in what is said. */
import type { Plan } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { makeMemoryCommons, makeMemoryContext } from '../memory-context.ts';
import { type CaseTools, failure, ids, reached, write } from './harness.ts';

const phone = (n: number) => `+1415555${String(1000 + n)}`;

export function failures(tools: CaseTools): void {
  accountsForRows(tools);
  stops(tools);
  saysEnough(tools);
}

/** Each plan has its own outcome. */
function accountsForRows({ harness, names, account, connect, effects, makePlan }: CaseTools): void {
  test('outcomes come in the order of the plans and in equal number', async () => {
    const known = await account().addPeople(Array.from({ length: 15 }, (_, n) => ({ phone: phone(n) })));
    const destination = await connect();
    const plans = Array.from({ length: 45 }, (_, n) =>
      makePlan({ id: `c${n}`, phone: phone(n), title: `Title ${n}`, unmatched: n % 2 ? 'create' : 'skip' }),
    );
    const before = account().requests();
    const outcomes = await write(destination, plans);
    expect(outcomes).toHaveLength(45);
    const now = await effects();
    for (const [n, outcome] of outcomes.entries()) {
      const written = ids(outcome);
      if (n >= 15 && n % 2 === 0) {
        expect(written).toEqual({});
        continue;
      }
      if (n < 15) expect(written.person).toBe(known[n]);
      const log = now.call_logs.find(({ id }) => id === written.call_log);
      expect(log?.properties[names.title]).toBe(`Title ${n}`);
      expect(log?.people).toEqual([written.person]);
    }
    const counted = outcomes.reduce((sum, outcome) => sum + (outcome.ok ? outcome.receipt.requests : 0), 0);
    expect(counted).toBeCloseTo(account().requests() - before, 5);
  });

  test('a poisoned record fails alone, names its mapping line, and leaves its neighbours written', async () => {
    const destination = await connect();
    const plans = Array.from({ length: 20 }, (_, n) =>
      makePlan({ id: `c${n}`, phone: phone(n), ...(n === 7 ? { call_fields: [harness.poison()] } : {}) }),
    );
    const outcomes = await write(destination, plans);
    expect(outcomes.map((outcome) => outcome.ok)).toEqual(plans.map((_, n) => n !== 7));
    const bad = failure(outcomes[7]);
    expect(bad).toMatchObject({ code: 'invalid_field', next: 'park' });
    expect(bad.details).toMatchObject({ field: harness.poison().name, at: harness.poison().at, record: 'call_log' });
    expect((await effects()).call_logs).toHaveLength(19);
  });

  test('what the mapping could make nothing of is a note of the receipt, what the call does not say is none', async () => {
    const at = { file: 'mappings/sample.yaml', line: 9, column: 3 };
    const left_out = [
      { field: 'person.budget', reason: 'number: it is no number', at, unusable: 'unreadable_number' as const },
      { field: 'person.city', reason: 'vars.city is not in the call', at },
    ];
    const [outcome] = await write(await connect(), [{ ...makePlan({ id: 'c1', phone: phone(1) }), left_out }]);
    expect(outcome).toMatchObject({
      ok: true,
      receipt: {
        notes: [
          { code: 'unreadable_number', record: 'person', field: 'budget', reason: 'number: it is no number', at },
        ],
      },
    });
  });

  test('a field that the account refuses is left out with a note, or parks the call, as the connection says', async () => {
    const field = harness.refusedField();
    const plan = (id: string) => makePlan({ id, phone: phone(1), call_fields: [field] });
    const [dropped] = await write(await connect({ drop_refused_fields: true }), [plan('c1')]);
    expect(Object.keys(ids(dropped))).toContain('call_log');
    expect(dropped).toMatchObject({ receipt: { notes: [{ record: 'call_log', field: field.name, at: field.at }] } });
    const [parked] = await write(await connect({ drop_refused_fields: false }), [plan('c2')]);
    expect(failure(parked)).toMatchObject({ next: 'park', details: { field: field.name, at: field.at } });
    expect(failure(parked).hint).toBeTruthy();
    expect((await effects()).call_logs).toHaveLength(1);
  });
}

/** Tokens, quotas, deadlines. */
function stops({ account, connect, effects, makePlan }: CaseTools): void {
  test('a refused token is the connection’s failure, for every plan, and nothing is written', async () => {
    const destination = await connect();
    account().trouble('refused-token', 'any', null);
    const outcomes = await write(
      destination,
      [0, 1, 2].map((n) => makePlan({ id: `c${n}`, phone: phone(n) })),
    );
    for (const outcome of outcomes)
      expect(failure(outcome)).toMatchObject({ code: 'unauthorized', next: 'reauthenticate' });
    await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({ next: 'reauthenticate' });
    account().calm();
    expect(await effects()).toEqual({ people: [], call_logs: [], tasks: [] });
    expect((await destination.probe(makeMemoryContext())).account).toBeTruthy();
  });

  test('being throttled burns no attempt and says for how long', async () => {
    const destination = await connect();
    const commons = makeMemoryCommons();
    // A person of whom nothing has to be written, so that no CRM writes them in the request that is refused.
    await write(destination, [makePlan({ id: 'c0', phone: phone(1) })], commons);
    account().trouble('throttled', 'create-call-log', null);
    const [outcome] = await write(destination, [makePlan({ id: 'c1', phone: phone(1) })], commons);
    expect(failure(outcome).next).toBe('throttle');
    expect(failure(outcome).details.retry_after).toBeGreaterThan(0);
    expect(failure(outcome).details.done).toHaveProperty('person');
  });

  test('the deadline holds when the CRM hangs', async () => {
    const destination = await connect();
    account().trouble('hangs', 'any', null);
    const began = performance.now();
    const outcomes = await write(
      destination,
      [0, 1].map((n) => makePlan({ id: `c${n}`, phone: phone(n) })),
      makeMemoryCommons(),
      { within: 500 },
    );
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const outcome of outcomes) expect(failure(outcome)).toMatchObject({ code: 'timeout', next: 'retry' });
  });

  test('work that is withdrawn stops, and burns no attempt', async () => {
    const destination = await connect();
    const controller = new AbortController();
    account().trouble('hangs', 'create-call-log', null);
    const writing = write(destination, [makePlan({ id: 'c1', phone: phone(1) })], makeMemoryCommons(), {
      signal: controller.signal,
    });
    await reached(async () => (await effects()).people.length === 1);
    controller.abort();
    expect(failure((await writing)[0]).next).toBe('throttle');
  });
}

/** What is said, and what is not. */
function saysEnough({ harness, names, account, connect, effects, makePlan }: CaseTools): void {
  test('a preview says what would be written, and writes nothing', async () => {
    const [person] = await account().addPeople([{ phone: phone(1), first_name: 'Ada' }]);
    const destination = await connect();
    const before = await effects();
    const plans: Plan[] = [
      makePlan({ id: 'c1', phone: phone(1), first_name: 'Grace' }),
      makePlan({ id: 'c2', phone: phone(2) }),
      makePlan({ id: 'c3', phone: phone(3), unmatched: 'park' }),
    ];
    const previews = await destination.preview(plans, makeMemoryContext());
    expect(previews.map(({ decision }) => decision)).toEqual(['use', 'create', 'park']);
    expect(previews[0]?.records.map(({ name, did }) => [name, did])).toEqual([
      ['person', 'update'],
      ['call_log', 'create'],
      ['call-back', 'create'],
    ]);
    expect(previews[0]?.records[0]).toMatchObject({ id: person });
    expect(previews[0]?.records[0]?.fields).toContainEqual(
      expect.objectContaining({ field: names.first_name, from: 'Ada', to: 'Grace', applies: true }),
    );
    expect(await effects()).toEqual(before);
  });

  test('no number, address or name is in what failures and notes say', async () => {
    const secret = { phone: '+14155550199', email: 'very.secret@example.com', first_name: 'Wilhelmina' };
    await account().addPeople([{ phone: secret.phone }, { phone: secret.phone }]);
    const destination = await connect({ drop_refused_fields: true });
    const poisoned = makePlan({ id: 'c2', email: secret.email, call_fields: [harness.poison()] });
    const dropped = makePlan({
      id: 'c3',
      email: secret.email,
      first_name: secret.first_name,
      call_fields: [harness.refusedField()],
    });
    const ambiguous = makePlan({ id: 'c1', phone: secret.phone, first_name: secret.first_name });
    const outcomes = await write(destination, [ambiguous, poisoned, dropped]);
    account().trouble('fails', 'any', null);
    outcomes.push(...(await write(destination, [ambiguous])));
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([false, false, true, false]);
    const said = JSON.stringify(
      outcomes.map((outcome) =>
        outcome.ok ? outcome.receipt : [outcome.failure.message, outcome.failure.hint, outcome.failure.details],
      ),
    );
    expect(said).not.toContain(secret.phone.slice(2));
    expect(said).not.toContain('very.secret');
    expect(said).not.toContain(secret.first_name);
  });
}
