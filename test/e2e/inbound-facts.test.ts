/** What a ringing call is answered with beside the name: open records, the last result, own metadata, office hours. */
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { sign } from '../../packages/synthflow/src/index.ts';
import { makeConfig, SALES } from '../support/config.ts';
import { PATIENCE } from '../support/patience.ts';
import { openSystem, SECRET, type TestSystem } from '../support/system.ts';

const TOKEN = 'a-path-token-of-tests';
const DANA = '+14155550142';
const SHARED = '+14155550143';
const STRANGER = '+14155550149';
const json = { 'content-type': 'application/json' };
const NEUTRAL = { override_model_id: '' };

/** Hours of a day on which the office is open now, or closed, whatever the day is. */
const hours = (text: string) =>
  `{ ${['weekdays', 'saturday', 'sunday'].map((day) => `${day}: "${text}"`).join(', ')}, holidays: [HOLIDAYS] }`;
const today = () => [-1, 0, 1].map((day) => new Date(Date.now() + day * 86_400_000).toISOString().slice(0, 10));
const ALWAYS = hours('00:00-24:00').replace('HOLIDAYS', '');
const NEVER = hours('00:00-24:00').replace('HOLIDAYS', today().join(', '));

const source = (name: string, secret: string, inbound: string) => `  ${name}:
    webhook_secrets: ["${secret}"]
    path_token: ["${TOKEN}"]
    inbound: ${inbound}
`;

describe.each([
  {
    crm: 'HubSpot',
    connection: SALES,
    mapping: `extends: hubspot/call-log
person:
  fields:
    jobtitle: metadata.campaign
    wrapup_last_result: my.result
`,
    variables:
      '{ deal: person.open_deal.dealname, ticket: person.open_ticket.subject, last: person.wrapup_last_result }',
    deal: 'person.open_deal.id',
    seed(system: TestSystem) {
      const { contacts: [dana = '', , twin = ''] = [] } = system.sandbox.control.seed({
        records: {
          contacts: [
            { properties: { firstname: 'Dana', phone: DANA, wrapup_last_result: 'interested' } },
            { properties: { firstname: 'Ann', phone: SHARED } },
            { properties: { firstname: 'Ben', phone: SHARED } },
          ],
        },
      });
      const { deals: [deal = ''] = [] } = system.sandbox.control.seed({
        records: {
          deals: [
            { properties: { dealname: 'Renewal', dealstage: 'contractsent' }, associations: { contacts: [dana] } },
            { properties: { dealname: 'Won', dealstage: 'closedwon' }, associations: { contacts: [dana] } },
          ],
        },
      } as never);
      return { dana, twin, deal };
    },
    knows: { deal: 'Renewal', last: 'interested' },
  },
  {
    crm: 'Salesforce',
    connection:
      'sales: { kind: salesforce, login_url: "${SALESFORCE_BASE_URL}", client_id: "${SALESFORCE_CLIENT_ID}", client_secret: "${SALESFORCE_CLIENT_SECRET}" }',
    mapping: 'extends: salesforce/call-log\nperson:\n  fields:\n    Title: metadata.campaign\n',
    variables: '{ deal: person.open_opportunity.Name, ticket: person.open_case.Subject, last: person.Title }',
    deal: 'person.open_opportunity.id',
    seed(system: TestSystem) {
      const seed = (records: object) =>
        system.sandbox.control.seed({ salesforce: { records } } as never) as Record<string, string[]>;
      const { Account: [acme = ''] = [] } = seed({ Account: [{ Name: 'Acme' }] });
      const { Contact: [dana = '', , twin = ''] = [] } = seed({
        Contact: [
          { FirstName: 'Dana', LastName: 'D', Phone: DANA, AccountId: acme, Title: 'interested' },
          { LastName: 'Ann', Phone: SHARED },
          { LastName: 'Ben', Phone: SHARED },
        ],
      });
      const one = { CloseDate: '2026-12-31', AccountId: acme };
      const { Opportunity: [deal = ''] = [] } = seed({
        Opportunity: [
          { ...one, Name: 'Renewal', StageName: 'Prospecting' },
          { ...one, Name: 'Won', StageName: 'Closed Won' },
        ],
        Case: [{ ContactId: dana, Subject: 'Late parcel', Status: 'New' }],
      });
      return { dana, twin, deal };
    },
    knows: { deal: 'Renewal', ticket: 'Late parcel', last: 'interested' },
  },
])('$crm: a caller is answered with', ({ connection, mapping, variables, deal: path, seed, knows }) => {
  let system: TestSystem;
  let made: ReturnType<typeof seed>;
  const address = (name: string, kind: string) =>
    `http://127.0.0.1:${system.ingress?.port}/webhooks/${name}/${TOKEN}/${kind}`;
  const ring = async (from: string, name = 'main') => {
    const event = { event: 'call_inbound', call_inbound: { from_number: from, to_number: '+14155550101' } };
    const answer = await fetch(address(name, 'inbound-call'), {
      method: 'POST',
      headers: json,
      body: JSON.stringify(event),
    });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { call_inbound: Record<string, Record<string, unknown>> }).call_inbound;
  };

  /** The answer once the caller is known: a busy machine may not answer in time, and Synthflow asks again. */
  const ringUntilKnown = async (from: string, name = 'main') => {
    let answer: Awaited<ReturnType<typeof ring>> = {};
    const isKnown = async () => {
      answer = await ring(from, name);
      return answer.metadata?.crm_person_id !== undefined;
    };
    await vi.waitUntil(isKnown, { timeout: PATIENCE, interval: 500 });
    return answer;
  };

  beforeAll(async () => {
    const inbound = (office: string) =>
      `{ look_up: sales, within: 8s, variables: ${variables}, metadata: { campaign: { value: spring }, deal_id: ${path} }, office_hours: ${office}, agents: [ { agent: night, hours: closed } ] }`;
    const config = makeConfig({
      connections: [connection],
      routes: ['- { name: calls, from: main, to: sales, mapping: mapping.yaml }'],
    });
    const sources = [
      source('main', SECRET, inbound(ALWAYS)),
      source('shut', 'another-webhook-secret-for-tests', inbound(NEVER)),
    ];
    system = await openSystem({
      mapping,
      config: config.replace(/sources:\n[\s\S]*?(?=connections:)/, `sources:\n${sources.join('')}`),
    });
    system.sandbox.control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
    // Makes the property of the last result, where fields are made one by one.
    expect((await wrapup(['provision'], system.env)).code).toBe(0);
    made = seed(system);
    await Promise.all([system.startIngress(), system.startWorker()]);
  });
  afterAll(() => system.close());

  it('open records, the last result and own metadata, which comes back with the call', async () => {
    const answer = await ringUntilKnown(DANA);
    expect(answer).toEqual({
      override_model_id: '',
      custom_variables: { ...knows, crm_person_id: made.dana, crm_connection: 'sales' },
      metadata: { campaign: 'spring', deal_id: made.deal, crm_person_id: made.dana, crm_connection: 'sales' },
    });
    const payload = samplePayload('connected', {
      call_id: 'rang-1',
      type_of_call: 'inbound',
      metadata: answer.metadata as never,
    } as never) as { call: { call_id: string; phone_number_from?: string } };
    const posted = await fetch(address('main', 'post-call'), {
      method: 'POST',
      headers: { ...json, 'synthflow-signature': sign('rang-1', SECRET) },
      body: JSON.stringify(payload),
    });
    expect(posted.status).toBe(202);
    const [delivery] = (await system.settled('rang-1')).deliveries;
    expect(delivery?.state).toBe('written');
    expect((await wrapup(['plan', 'rang-1'], system.env)).stdout).toContain('spring');
  });

  it('metadata that needs no person, also for callers who are not known', async () => {
    expect(await ring(STRANGER)).toEqual({ ...NEUTRAL, metadata: { campaign: 'spring' } });
    expect(await ring(SHARED)).toEqual({ ...NEUTRAL, metadata: { campaign: 'spring' } });
  });

  it('another agent while the office is closed', async () => {
    expect(await ring(STRANGER, 'shut')).toEqual({ override_model_id: 'night', metadata: { campaign: 'spring' } });
    expect(await ringUntilKnown(DANA, 'shut')).toMatchObject({ override_model_id: 'night', custom_variables: knows });
  });

  it('the person whom an operator chose for the number', async () => {
    const { choices } = system.store;
    const digest = await choices.digestOf('phone', SHARED);
    await choices.keep({
      ...{ connection: 'sales', digest, of: 'phone', person: made.twin, at: 1, source: 'main', call_id: 'c' },
    });
    // That several people have it is remembered for a minute, for each source on its own where it reads other fields.
    await system.store.redis.del(...(await system.store.redis.keys(`${system.store.keys.prefix}:remembered:sales:*`)));
    expect(await ringUntilKnown(SHARED)).toMatchObject({ metadata: { crm_person_id: made.twin } });
  });
});
