/** Records that are linked to contacts and companies: in few requests, the open ones, each contact accounted for. */
import { Failure, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { askedFor, type RelatedQuestion, type RelatedRecords } from '@wrapup/destination/engine';
import { startSandbox } from '@wrapup/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HubSpotSession, type HubSpotTransport } from '../src/client/transport.ts';
import { readRelated } from '../src/records/related.ts';
import { json, openTransport, tinyServer } from './tiny-server.ts';

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let transport: HubSpotTransport;
beforeEach(async () => {
  sandbox = await startSandbox({ provisioned: true, settings: { hubspot: { search_lag: 0 } } });
  transport = await openTransport(sandbox.hubspotUrl);
});
afterEach(async () => {
  await transport.close();
  await sandbox.close();
});

const commons = makeMemoryCommons();
const ask = (questions: RelatedQuestion[], memory = makeMemoryCommons()) =>
  readRelated(new HubSpotSession(transport, makeMemoryContext(memory)), questions);
const about = (ids: string[], object: string, properties: string[] = [], of = 'contacts'): RelatedQuestion => ({
  ...{ of, object, properties },
  ids: askedFor(ids.map((id, plan): [string, number[]] => [id, [plan]])),
});
const idsOf = (answer: RelatedRecords | undefined, id: string) => {
  const records = answer?.get(id) ?? [];
  return records instanceof Failure ? records.code : records.map((one) => one.id);
};
const seed = (records: object) => sandbox.control.seed({ records } as never) as Record<string, string[]>;
const deal = (stage: string, contact: string, createdate?: string) => ({
  properties: { dealname: 'A deal', dealstage: stage, ...(createdate ? { createdate } : {}) },
  associations: { contacts: [contact] },
});

test('of a hundred contacts the open deals cost two requests, the youngest first', async () => {
  const contacts = Array.from({ length: 100 }, (_, n) => ({ properties: { firstname: `Contact ${n}` } }));
  const made = seed({
    contacts,
    deals: [
      deal('contractsent', '#0', '2026-01-01T10:00:00Z'),
      deal('closedlost', '#0'),
      deal('contractsent', '#0', '2026-03-01T10:00:00Z'),
      deal('closedwon', '#1'),
    ],
  });
  const before = sandbox.control.requests().total;
  const people = made.contacts ?? [];
  const [answer] = await ask([about(people, 'deals', ['dealstage'])]);
  expect(sandbox.control.requests().total - before).toBe(2);
  expect(idsOf(answer, people[0] ?? '')).toEqual([made.deals?.[2], made.deals?.[0]]);
  expect(idsOf(answer, people[1] ?? '')).toEqual([]);
  expect(answer?.get(people[0] ?? '')).toMatchObject([{ properties: { dealstage: 'contractsent' } }, {}]);
  expect(idsOf(answer, people[99] ?? '')).toEqual([]);
});

test('stages of an own pipeline close deals and tickets as the account says', async () => {
  const stages = [{ id: 'open' }, { id: 'done', closed: true }];
  sandbox.control.seed({ pipelines: { deals: [{ id: 'own', stages }], tickets: [{ id: 'help', stages }] } });
  const ticket = (stage: string) => ({
    properties: { subject: 'A ticket', hs_pipeline: 'help', hs_pipeline_stage: stage },
    associations: { contacts: ['#0'] },
  });
  const made = seed({
    contacts: [{ properties: { firstname: 'Ada' } }],
    deals: [deal('open', '#0'), deal('done', '#0')],
    tickets: [ticket('done'), ticket('open')],
  });
  const people = made.contacts ?? [];
  const [deals, tickets] = await ask([about(people, 'deals'), about(people, 'tickets')], commons);
  expect(idsOf(deals, people[0] ?? '')).toEqual([made.deals?.[0]]);
  expect(idsOf(tickets, people[0] ?? '')).toEqual([made.tickets?.[1]]);
  // Stages are read once.
  const before = sandbox.control.requests().total;
  await ask([about(people, 'tickets')], commons);
  expect(sandbox.control.requests().total - before).toBe(2);
});

test('the company of a contact is its primary one, in one request', async () => {
  const made = seed({
    companies: [{ properties: { domain: 'a.example' } }, { properties: { domain: 'b.example' } }],
    contacts: [
      {
        properties: { firstname: 'Ada' },
        associations: { companies: [{ id: '#0', label: 'Primary' }, '#1'] },
      },
    ],
  });
  const before = sandbox.control.requests().total;
  const people = made.contacts ?? [];
  const [answer] = await ask([about(people, 'companies')]);
  expect(sandbox.control.requests().total - before).toBe(1);
  expect(idsOf(answer, people[0] ?? '')).toEqual(made.companies);
});

test('a look-up that failed is a failure of those that it was about, never nothing', async () => {
  const made = seed({ contacts: [{ properties: { firstname: 'Ada' } }], deals: [deal('contractsent', '#0')] });
  const people = made.contacts ?? [];
  for (const path of ['associations/', '/objects/[^/]+/deals/batch/read$']) {
    sandbox.control.fault({ kind: 'status', status: 503, path, times: null });
    const [answer] = await ask([about(people, 'deals')]);
    expect([path, idsOf(answer, people[0] ?? '')]).toEqual([path, 'unavailable']);
    sandbox.control.clearFaults();
  }
  sandbox.control.fault({ kind: 'empty_success', path: 'associations/', times: null });
  const [answer] = await ask([about(people, 'deals')]);
  expect(idsOf(answer, people[0] ?? '')).toBe('unaccounted');
});

test('an answer that names only some of the contacts leaves the others open', async () => {
  const server = await tinyServer((_body, response) =>
    json(response, 207, {
      status: 'COMPLETE',
      results: [{ from: { id: '1' }, to: [{ toObjectId: 9, associationTypes: [{ typeId: 1 }] }] }],
      errors: [
        {
          status: 'error',
          category: 'OBJECT_NOT_FOUND',
          subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
          message: 'No company is associated with contact 2.',
          context: { fromObjectId: ['2'] },
        },
      ],
      numErrors: 2,
    }),
  );
  const other = await openTransport(server.url);
  const session = new HubSpotSession(other, makeMemoryContext());
  const [answer] = await readRelated(session, [about(['1', '2', '3'], 'companies')]);
  expect(['1', '2', '3'].map((id) => idsOf(answer, id))).toEqual([['9'], [], 'unaccounted']);
  await other.close();
  await server.close();
});

test('more links than one page holds are read to the last', async () => {
  const made = seed({
    contacts: [{ properties: { firstname: 'Ada' } }],
    deals: Array.from({ length: 501 }, (_, n) => deal(n < 500 ? 'closedwon' : 'contractsent', '#0')),
  });
  const people = made.contacts ?? [];
  const [answer] = await ask([about(people, 'deals')]);
  expect(idsOf(answer, people[0] ?? '')).toEqual([made.deals?.[500]]);
});
