import type { Call } from '@wrapup/call';
import type { Caller, Inbound, InboundRule } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { source } from './support/harness.ts';
import {
  DANA,
  type InboundHarness,
  inbound,
  NEUTRAL,
  NOBODY,
  newNumber,
  SHARED,
  startInbound,
  TOKEN,
} from './support/inbound.ts';

let ingress: InboundHarness;
beforeAll(async () => {
  ingress = await startInbound();
});
afterAll(() => ingress.close());
/** Each test has a connection of its own: the quota for searches is small. */
let look_up: string;
beforeEach(() => {
  look_up = ingress.newConnection();
  answerBy({});
});
const answerBy = (given: Partial<Inbound>) => ingress.answerCalls(inbound({ look_up, ...given }));

const answerOf = (id: string, more: object = {}) => ({
  call_inbound: {
    override_model_id: '',
    custom_variables: { first_name: 'Dana', crm_person_id: id, crm_connection: look_up },
    metadata: { crm_person_id: id, crm_connection: look_up },
    ...more,
  },
});

const rule = (given: Partial<InboundRule>): InboundRule => ({
  when: () => true,
  asks_caller: false,
  decline: false,
  ...given,
});

describe('a caller whom the CRM knows', () => {
  it('is named to the agent, with the id that the finished call will carry', async () => {
    expect(await ingress.ask(DANA)).toEqual(answerOf(ingress.danaId));
  });

  it('is known however the carrier writes the number', async () => {
    ingress.configure(source({ path_token: [TOKEN], default_country: 'US' }));
    for (const from of ['(415) 555-0123', '14155550123', 'sip:+14155550123@carrier.example'])
      expect(await ingress.ask(from)).toEqual(answerOf(ingress.danaId));
    ingress.configure(source({ path_token: [TOKEN] }), source({ name: 'open' }));
  });

  it('is given with facts of the call and constants, without what the CRM has no value for', async () => {
    answerBy({
      variables: {
        first_name: { path: ['person', 'firstname'] },
        stage: { path: ['person', 'lifecyclestage'] },
        company: { path: ['person', 'company'] },
        number: { path: ['lead', 'phone'] },
        called: { path: ['call', 'to_number'] },
        agent: { path: ['call', 'agent', 'id'] },
        workspace: { path: ['source', 'name'] },
        shop: { value: 'Main Street' },
        priority: { value: 1 },
      },
      reads: { properties: ['firstname', 'lifecyclestage', 'company'], related: {} },
    });
    expect(await ingress.ask(DANA)).toMatchObject({
      call_inbound: {
        custom_variables: {
          first_name: 'Dana',
          stage: 'customer',
          number: DANA,
          called: '+14155550100',
          agent: 'a0',
          workspace: 'main',
          shop: 'Main Street',
          priority: 1,
          crm_person_id: ingress.danaId,
        },
      },
    });
    expect(JSON.stringify(await ingress.ask(DANA))).not.toContain('company');
  });

  it('reads nothing that only a prototype has', async () => {
    answerBy({ variables: { x: { path: ['person', 'toString'] }, y: { path: ['call', 'turns', 'length'] } } });
    expect(await ingress.ask(DANA)).toMatchObject({
      call_inbound: { custom_variables: { crm_person_id: ingress.danaId } },
    });
    expect(JSON.stringify(await ingress.ask(DANA))).not.toMatch(/function|"y"/);
  });

  it('gets texts without control characters, and at most 500 characters of one', async () => {
    const phone = newNumber();
    ingress.sandbox.control.seed({
      records: { contacts: [{ properties: { firstname: `D\u0007ana\nIgnore ${'x'.repeat(900)}`, phone } }] },
    });
    const { call_inbound } = (await ingress.ask(phone)) as {
      call_inbound: { custom_variables: { first_name: string } };
    };
    const { first_name } = call_inbound.custom_variables;
    expect(first_name.startsWith('D ana Ignore x')).toBe(true);
    expect(first_name).toHaveLength(500);
  });
});

describe('no CRM data is given', () => {
  it.each([
    ['without the token', '/webhooks/main/inbound-call'],
    ['with a wrong token', '/webhooks/main/another-token/inbound-call'],
    ['from a source that has none', '/webhooks/open/inbound-call'],
    ['from an unknown source', '/webhooks/nobody/inbound-call'],
  ])('%s: the neutral answer, and the CRM is not asked', async (_what, path) => {
    const phone = newNumber();
    ingress.sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Eve', phone } }] } });
    const before = ingress.asked();
    expect(await ingress.ask(phone, { path })).toEqual(NEUTRAL);
    expect(ingress.asked()).toBe(before);
  });

  it('not even a rule is asked then', async () => {
    answerBy({ agents: [rule({ decline: true })] });
    expect(await ingress.ask(DANA, { path: '/webhooks/open/inbound-call' })).toEqual(NEUTRAL);
    expect(await ingress.ask(DANA)).toEqual({ call_inbound: {} });
  });

  it('unless the configuration says guard: none', async () => {
    answerBy({ guard: 'none' });
    expect(await ingress.ask(DANA, { path: '/webhooks/open/inbound-call' })).toEqual(answerOf(ingress.danaId));
    expect(await ingress.ask(DANA, { path: '/webhooks/main/inbound-call' })).toEqual(NEUTRAL);
  });
});

describe('a caller who is not one person', () => {
  it.each([
    ['a number that the CRM does not have', NOBODY],
    ['a withheld number', 'anonymous'],
    ['no number', ''],
    ['two people', SHARED],
  ])('%s: the agent gets nothing of them', async (_what, from) => {
    expect(await ingress.ask(from)).toEqual(NEUTRAL);
  });

  it('still gets what does not depend on the caller', async () => {
    answerBy({ variables: { shop: { value: 'Main Street' } } });
    expect(await ingress.ask(NOBODY)).toEqual({
      call_inbound: { override_model_id: '', custom_variables: { shop: 'Main Street' } },
    });
  });
});

describe('records that are read along', () => {
  const withDeal = () =>
    answerBy({
      variables: { first_name: { path: ['person', 'firstname'] }, deal: { path: ['person', 'open_deal', 'dealname'] } },
      reads: { properties: ['firstname'], related: {}, open: { open_deal: ['dealname'] } },
    });
  /** One contact for each name, all of one number, the last one with an open deal. */
  const seed = (...names: string[]) => {
    const phone = newNumber();
    const { contacts = [] } = ingress.sandbox.control.seed({
      records: {
        contacts: names.map((firstname) => ({ properties: { firstname, phone } })),
        deals: [
          {
            properties: { dealname: 'Roof', dealstage: 'contractsent' },
            associations: { contacts: [`#${names.length - 1}`] },
          },
        ],
      },
    } as never);
    return { phone, id: contacts.at(-1) ?? '' };
  };
  const choose = async (phone: string, person: string) => {
    const { choices } = ingress.store;
    const call = { source: 'main', call_id: 'c-1' };
    const digest = await choices.digestOf('phone', phone);
    await choices.keep({ ...call, connection: look_up, digest, of: 'phone', person, by: 'Olga', at: Date.now() });
  };
  const variables = async (phone: string) =>
    ((await ingress.ask(phone)) as { call_inbound: { custom_variables?: object } }).call_inbound.custom_variables;
  /** For how many more ms the answers of this test's connection count. */
  const kept = async () => {
    const { redis } = ingress.store;
    if (!('scan' in redis)) throw new Error('one server is expected');
    const names = await redis.keys(`{${ingress.prefix}}:remembered:${look_up}:*`);
    const values = await Promise.all(names.map((name) => redis.get(name)));
    const answers = names.filter((_, index) => values[index]?.startsWith('{'));
    return Promise.all(answers.map((name) => redis.pttl(name)));
  };

  it('are read of the person whom an operator chose among several, and the choice counts for a minute', async () => {
    withDeal();
    const { phone, id } = seed('Eva', 'Dana');
    await choose(phone, id);
    expect(await variables(phone)).toEqual({
      first_name: 'Dana',
      deal: 'Roof',
      crm_person_id: id,
      crm_connection: look_up,
    });
    const [ms, ...more] = await kept();
    expect(more).toEqual([]);
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(60_000);
  });

  it('cost no request more where none are asked for', async () => {
    answerBy({});
    const { phone, id } = seed('Eva', 'Dana');
    await choose(phone, id);
    const before = ingress.asked();
    expect(await variables(phone)).toMatchObject({ first_name: 'Dana', crm_person_id: id });
    expect(ingress.asked() - before).toBe(1);
  });

  it('are asked for again when they could not be read', async () => {
    withDeal();
    const { phone, id } = seed('Dana');
    ingress.sandbox.control.fault({ kind: 'status', status: 403, path: 'contacts/deals', times: null });
    expect(await variables(phone)).toEqual({ first_name: 'Dana', crm_person_id: id, crm_connection: look_up });
    expect(await kept()).toEqual([]);
    ingress.sandbox.control.clearFaults();
    expect(await variables(phone)).toMatchObject({ deal: 'Roof' });
    expect(await kept()).toHaveLength(1);
  });

  it('count as read where there are none', async () => {
    withDeal();
    expect(await variables(DANA)).toEqual({
      first_name: 'Dana',
      crm_person_id: ingress.danaId,
      crm_connection: look_up,
    });
    expect(await kept()).toHaveLength(1);
  });
});

describe('personal data', () => {
  const reads = { properties: ['firstname', 'lifecyclestage'], related: {} };
  const variables = { stage: { path: ['person', 'lifecyclestage'] } };
  const asks: unknown[] = [];
  const when = (answer: boolean) => (call: Call, caller: Caller) => {
    asks.push([call.to_number, caller.firstname]);
    return answer;
  };

  it('is given once the second fact holds, and not on the number alone', async () => {
    answerBy({ personal: { when: when(false), variables }, reads });
    const bare = (await ingress.ask(DANA)) as { call_inbound: { custom_variables: Record<string, unknown> } };
    expect(bare.call_inbound.custom_variables).toMatchObject({ first_name: 'Dana', crm_person_id: ingress.danaId });
    expect(bare.call_inbound.custom_variables).not.toHaveProperty('stage');
    answerBy({ personal: { when: when(true), variables }, reads });
    expect(await ingress.ask(DANA)).toMatchObject({
      call_inbound: { custom_variables: { first_name: 'Dana', stage: 'customer' } },
    });
    expect(asks).toContainEqual(['+14155550100', 'Dana']);
  });

  it('is given for no caller who is not one person, whatever the condition says', async () => {
    const constant = { greeting: { value: 'Welcome back' } };
    answerBy({ personal: { when: when(true), variables: constant }, variables: {}, reads });
    for (const from of [NOBODY, SHARED, 'anonymous']) expect(await ingress.ask(from)).toEqual(NEUTRAL);
  });
});

describe('rules', () => {
  const isCustomer = rule({
    asks_caller: true,
    when: (_call, caller) => caller.lifecyclestage === 'customer',
    agent: 'vip',
  });
  const isUnknown = rule({ asks_caller: true, when: (_call, caller) => caller.id === undefined, decline: true });

  it('send the call to another agent, by who calls or by the call', async () => {
    const byNumber = rule({ when: (call) => call.to_number === '+14155550111', agent: 'night' });
    answerBy({ agents: [isCustomer, byNumber] });
    expect(await ingress.ask(DANA)).toEqual(answerOf(ingress.danaId, { override_model_id: 'vip' }));
    expect(await ingress.ask(NOBODY, { to: '+14155550111' })).toEqual({ call_inbound: { override_model_id: 'night' } });
    expect(await ingress.ask(NOBODY)).toEqual(NEUTRAL);
  });

  it('are asked in order, and the first that holds decides', async () => {
    answerBy({ agents: [rule({ agent: 'first' }), rule({ agent: 'second' })] });
    expect(await ingress.ask(NOBODY)).toEqual({ call_inbound: { override_model_id: 'first' } });
  });

  it('hang up only on whom a rule declines', async () => {
    answerBy({ agents: [isUnknown] });
    expect(await ingress.ask(NOBODY)).toEqual({ call_inbound: {} });
    expect(await ingress.ask('anonymous')).toEqual({ call_inbound: {} });
    expect(await ingress.ask(DANA)).toEqual(answerOf(ingress.danaId));
  });

  it('that ask who calls are not decided by two people of one number', async () => {
    answerBy({ agents: [isUnknown] });
    expect(await ingress.ask(SHARED)).toEqual(NEUTRAL);
  });

  it('that throw do not hang up', async () => {
    const throws = rule({
      when: () => {
        throw new Error('not total after all');
      },
      decline: true,
    });
    answerBy({ agents: [throws] });
    expect(await ingress.ask(DANA)).toEqual(NEUTRAL);
  });
});

describe('a connection that is paused', () => {
  it.each(['its circuit', 'an operator'])(
    'by %s is not asked about callers, and is again when it goes on',
    async (who) => {
      const { connections } = ingress.store;
      const phone = newNumber();
      ingress.sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Dana', phone } }] } });
      if (who === 'an operator') await connections.pause(look_up);
      else await connections.note(look_up, [{ ok: false, failure: new Failure('unauthorized', 'Refused.') }]);
      const before = ingress.asked();
      expect(await ingress.ask(phone)).toEqual(NEUTRAL);
      expect(ingress.asked()).toBe(before);
      expect(await ingress.metrics.text()).toMatch(/ingress_callers_total\{result="paused"\} [1-9]/);

      if (who === 'an operator') await connections.resume(look_up);
      else {
        await connections.probeNow(look_up);
        const pause = await connections.claimProbe(look_up);
        if (pause) await connections.endProbe(look_up, pause);
      }
      // What was read of the pause is believed for a second.
      await expect.poll(() => ingress.ask(phone)).not.toEqual(NEUTRAL);
    },
  );
});
