/** The account's own properties: what is checked, what is created, what happens where something is missing. */
import { makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { SAMPLE_PLACE, sampleField } from '@wrapup/destination/sample-plan';
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  await account.close();
});

function mapping(...fields: (Partial<MappedField> & { property: string })[]): CompiledMapping {
  return {
    name: 'mappings/hubspot.yaml',
    kind: 'hubspot',
    hash: '0123456789ab',
    reads: [],
    fields: fields.map((field, index) => ({
      record: 'person',
      object: 'contacts',
      use: 'write',
      at: { file: 'mappings/hubspot.yaml', line: 10 + index, column: 3 },
      ...field,
    })),
    records: [],
    plan: () => {
      throw new Error('not used');
    },
  };
}

describe('provision', () => {
  test('says what is missing, creates it, and finds it present after that', async () => {
    account.sandbox.control.reset({ provisioned: false });
    const destination = await account.connect();
    const mappings = [
      mapping(
        { property: 'hs_task_subject', object: 'tasks', record: 'call-back' },
        { property: 'wrapup_budget', values: [100, 200] },
        { property: 'wrapup_opted_out', values: [true, false] },
        { property: 'wrapup_history', write: 'append' },
        { property: 'wrapup_seats', gives: 'number' },
        { property: 'wrapup_wants_offer', gives: 'boolean' },
        { property: 'wrapup_visit_at', gives: 'datetime' },
        { property: 'their_own_field' },
      ),
    ];
    const states = async (plan: boolean) =>
      Object.fromEntries(
        (await destination.provision({ mappings, plan }, makeMemoryContext())).map(({ what, state }) => [what, state]),
      );
    const all = (state: string) => ({
      'contacts.wrapup_key': state,
      'calls.wrapup_call_id': state,
      'tasks.wrapup_key': state,
      'contacts.wrapup_last_call_at': state,
      'contacts.wrapup_budget': state,
      'contacts.wrapup_opted_out': state,
      'contacts.wrapup_history': state,
      'contacts.wrapup_seats': state,
      'contacts.wrapup_wants_offer': state,
      'contacts.wrapup_visit_at': state,
    });
    expect(await states(true)).toEqual(all('missing'));
    expect(await states(false)).toEqual(all('created'));
    expect(await states(false)).toEqual(all('present'));
    const plan = planFor(hubspotHarness, {
      id: 'c1',
      phone: '+14155550142',
      first_name: 'Ada',
      person_fields: [sampleField('wrapup_budget', 100), sampleField('wrapup_opted_out', true)],
    });
    const [outcome] = await write(destination, [plan]);
    expect(outcome).toMatchObject({ ok: true, receipt: { notes: [] } });
  });

  test('a comparison tells where people open records, so that what is written afterwards has links', async () => {
    const plan = planFor(hubspotHarness, { id: 'c1', phone: '+14155550142', first_name: 'Ada' });
    const commons = makeMemoryCommons();
    const destination = await account.connect();
    await destination.check([], makeMemoryContext(commons));
    const [outcome] = await write(destination, [plan], commons);
    const records = outcome?.ok ? outcome.receipt.records : [];
    expect(records.length).toBeGreaterThan(0);
    for (const { id, url } of records)
      expect(url).toMatch(new RegExp(`^https://app\\.hubspot\\.com/contacts/\\d+/record/\\S+/${id}$`));
  });

  test('refuses a key that exists without being unique, and says how to repair it', async () => {
    account.sandbox.control.reset({ provisioned: false });
    account.sandbox.control.seed({ properties: { calls: [{ name: 'wrapup_call_id' }] } });
    const steps = await (await account.connect()).provision({ mappings: [], plan: false }, makeMemoryContext());
    const step = steps.find(({ what }) => what === 'calls.wrapup_call_id');
    expect(step).toMatchObject({ state: 'refused', hint: expect.stringContaining('unique') });
  });

  test('without the scope says how to create the property by hand, and goes on with the others', async () => {
    account.sandbox.control.reset({ provisioned: false });
    account.sandbox.control.fault({
      kind: 'status',
      method: 'POST',
      path: 'properties/2026-09/calls',
      times: null,
      status: 403,
      body: {
        status: 'error',
        category: 'MISSING_SCOPES',
        message: 'This app hasn’t been granted all required scopes.',
        errors: [{ message: 'scope', context: { requiredGranularScopes: ['crm.schemas.calls.write'] } }],
      },
    });
    const steps = await (await account.connect()).provision({ mappings: [], plan: false }, makeMemoryContext());
    expect(steps.map(({ what, state }) => [what, state])).toEqual([
      ['contacts.wrapup_key', 'created'],
      ['calls.wrapup_call_id', 'refused'],
      ['contacts.wrapup_last_call_at', 'created'],
    ]);
    expect(steps[1]?.hint).toContain('wrapup_call_id');
    expect(steps[1]?.hint).toContain('unique');
  });
});

describe('check', () => {
  test('finds what the account’s schema does not allow, each with its mapping line', async () => {
    account.sandbox.control.seed({
      properties: { contacts: [{ name: 'lucky_number', type: 'number', fieldType: 'number' }] },
    });
    const findings = await (await account.connect()).check(
      [
        mapping(
          { property: 'firstname' },
          { property: 'frstname' },
          { property: 'wrapup_score' },
          { property: 'hs_searchable_calculated_phone_number' },
          { property: 'hs_call_direction', object: 'calls', record: 'call_log', values: ['OUTBOUND', 'SIDEWAYS'] },
          { property: 'lucky_number', values: [7, 'seven'] },
          { property: 'no_such_thing_at_all', use: 'read' },
        ),
      ],
      makeMemoryContext(),
    );
    expect(findings.map(({ code, at }) => [code, at?.line])).toEqual([
      ['missing-property', 11],
      ['missing-property', 12],
      ['read-only', 13],
      ['unknown-option', 14],
      ['wrong-type', 15],
      ['missing-property', 16],
    ]);
    expect(findings[0]?.hint).toBe('Did you mean firstname?');
    expect(findings[1]?.hint).toContain('provision');
    expect(findings[3]?.message).toContain('SIDEWAYS');
    expect(findings[3]?.message).not.toContain('OUTBOUND');
  });

  test('warns of what is passed on as the call says it, where the account is particular', async () => {
    account.sandbox.control.seed({
      properties: { contacts: [{ name: 'lucky_number', type: 'number', fieldType: 'number' }] },
    });
    const check = async (...fields: Parameters<typeof mapping>) =>
      (await (await account.connect()).check([mapping(...fields)], makeMemoryContext())).map(
        ({ severity, code, at, hint }) => [severity, code, at?.line, hint],
      );
    expect(
      await check(
        { property: 'lucky_number' },
        { property: 'lucky_number', gives: 'number' },
        { property: 'hs_lead_status', gives: 'text' },
        { property: 'hs_timestamp', object: 'tasks', record: 'a', gives: 'datetime' },
        { property: 'hs_timestamp', object: 'tasks', record: 'b', gives: 'text' },
        { property: 'firstname' },
      ),
    ).toEqual([
      ['warning', 'may-not-fit', 10, expect.stringContaining('transform: number')],
      ['warning', 'may-not-fit', 12, expect.stringContaining('Add a map')],
      ['warning', 'may-not-fit', 14, expect.stringContaining('transform: datetime')],
    ]);
  });

  test('tells an object that the key may not see with its mapping line, and checks the others', async () => {
    account.sandbox.control.fault({
      kind: 'status',
      path: 'properties/2026-09/tickets',
      times: null,
      status: 403,
      body: {
        status: 'error',
        category: 'MISSING_SCOPES',
        message: 'This app hasn’t been granted all required scopes.',
        errors: [{ message: 'scope', context: { requiredGranularScopes: ['tickets'] } }],
      },
    });
    const findings = await (await account.connect()).check(
      [mapping({ property: 'subject', object: 'tickets', record: 'complaint' }, { property: 'frstname' })],
      makeMemoryContext(),
    );
    expect(findings.map(({ code, at }) => [code, at?.line])).toEqual([
      ['missing-scope', 10],
      ['missing-property', 11],
    ]);
    expect(`${findings[0]?.message} ${findings[0]?.hint}`).toContain('tickets');
  });

  test('says which record HubSpot would not create for want of a field', async () => {
    const at = { file: 'mappings/hubspot.yaml', line: 30, column: 5 };
    const record = { name: 'opportunity', type: 'deal', object: 'deals', at };
    const dealname = { property: 'dealname', object: 'deals', record: 'opportunity' };
    const check = async (one: CompiledMapping) =>
      (await (await account.connect()).check([{ ...one, records: [record] }], makeMemoryContext())).map(
        ({ code, message, at: place }) => [code, place?.line, message],
      );
    expect(await check(mapping(dealname))).toEqual([
      ['required-not-mapped', 30, 'opportunity: HubSpot creates no deals without dealstage.'],
    ]);
    expect(await check(mapping(dealname, { ...dealname, property: 'dealstage', values: ['qualifiedtobuy'] }))).toEqual(
      [],
    );
  });

  test('says that keys are missing or not unique', async () => {
    account.sandbox.control.reset({ provisioned: false });
    account.sandbox.control.seed({ properties: { calls: [{ name: 'wrapup_call_id' }] } });
    const findings = await (await account.connect()).check(
      [mapping({ property: 'firstname', write: 'if_newer' })],
      makeMemoryContext(),
    );
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['missing-key', 'error'],
      ['key-not-unique', 'error'],
      ['missing-watermark', 'warning'],
    ]);
  });
});

describe('probe', () => {
  test('names the account and which keys are in force', async () => {
    const commons = makeMemoryCommons();
    const destination = await account.connect();
    const probe = await destination.probe(makeMemoryContext(commons));
    expect(probe.account).toMatch(/^\d+$/);
    expect(probe.notes).toEqual([
      'calls: key ladder, step 1 of 3: unique key wrapup_call_id, by upsert. Exactly one record.',
      'contacts: key ladder, step 1 of 3: unique key wrapup_key, by upsert. Exactly one record.',
    ]);
    const [outcome] = await write(destination, [planFor(hubspotHarness, { id: 'c1', phone: '+14155550142' })], commons);
    expect(outcome).toMatchObject({
      receipt: {
        records: [
          { name: 'person', url: expect.stringContaining(`/contacts/${probe.account}/record/0-1/`) },
          { name: 'call_log', url: expect.stringContaining('/record/0-48/') },
          { name: 'call-back', url: expect.stringContaining('/record/0-27/') },
        ],
      },
    });
  });

  test('fails where contacts may not be read', async () => {
    account.sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.objects.contacts.read'] } });
    const destination = await account.connect();
    await expect(destination.probe(makeMemoryContext())).rejects.toMatchObject({
      code: 'missing_scope',
      next: 'reauthenticate',
      details: { hint: expect.stringContaining('crm.objects.contacts.read') },
    });
  });
});

describe('where the account lacks a property', () => {
  test('that is a unique key, the call parks until provision has run', async () => {
    account.sandbox.control.reset({ provisioned: false });
    const destination = await account.connect();
    const commons = makeMemoryCommons();
    const plan = planFor(hubspotHarness, { id: 'c1', phone: '+14155550142', task: false });
    const [parked] = await write(destination, [plan], commons);
    expect(failure(parked)).toMatchObject({ code: 'missing_property', next: 'park' });
    expect(failure(parked).hint).toContain('wrapup provision');
    const again = { ...plan, resume: { attempts: 1, records: {} } };
    for (const same of [plan, again])
      expect(failure((await write(destination, [same], commons))[0])).toMatchObject({ code: 'missing_property' });
    expect(await account.effects()).toEqual({ people: [], call_logs: [], tasks: [] });
    await destination.provision({ mappings: [], plan: false }, makeMemoryContext(commons));
    const replay = { ...plan, resume: { attempts: 1, records: {} } };
    expect(Object.keys(ids((await write(destination, [replay], commons))[0]))).toEqual(['person', 'call_log']);
  });

  test.each([2022, 2026] as const)(
    'that mappings write, several at once, all are left out in one more attempt (forms of %s)',
    async (forms) => {
      account.sandbox.control.settings({ hubspot: { forms } });
      const destination = await account.connect();
      const plan = planFor(hubspotHarness, {
        id: 'c1',
        phone: '+14155550142',
        task: false,
        person_fields: [sampleField('nowhere', 'x'), sampleField('wrapup_else', 'y'), sampleField('city', 'Berlin')],
      });
      const [outcome] = await write(destination, [plan]);
      // Each names its own property, and says of its own whether provisioning creates it.
      const left = (field: string, hint: RegExp) => ({
        code: 'missing_property',
        ...{ record: 'person', field, at: SAMPLE_PLACE },
        reason: expect.stringContaining(`no such property (property ${field})`),
        hint: expect.stringMatching(hint),
      });
      expect(outcome?.ok && outcome.receipt.notes).toMatchObject([
        left('nowhere', /creates none of this name/),
        left('wrapup_else', /provision`, which creates it/),
      ]);
      expect((await account.effects()).people).toMatchObject([{ properties: { city: 'Berlin' } }]);
    },
  );

  test('for the watermark, older calls are still distinguished from newer ones', async () => {
    const commons = makeMemoryCommons();
    const destination = await account.connect();
    const response = await fetch(`${account.sandbox.hubspotUrl}/crm/v3/properties/contacts/wrapup_last_call_at`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer pat-na1-test' },
    });
    expect(response.ok).toBe(true);
    const call = (id: string, first_name: string, ended_at: string) =>
      planFor(hubspotHarness, { id, phone: '+14155550142', first_name, ended_at, task: false });
    ids((await write(destination, [call('new', 'New', '2026-11-21T10:00:00.000Z')], commons))[0]);
    ids((await write(destination, [call('old', 'Old', '2026-11-20T10:00:00.000Z')], commons))[0]);
    expect((await account.effects()).people).toMatchObject([{ properties: { firstname: 'New' } }]);
  });
});
