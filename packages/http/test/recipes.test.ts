/** What the recipes for Slack, Zapier, Make and n8n really send, as their receivers see it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint } from './support/endpoint.ts';
import { PERSONAL, planOf, someCall } from './support/plans.ts';

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await openEndpoint();
});
beforeEach(() => void endpoint.received.splice(0));
afterAll(() => endpoint.close());

async function sent(recipe: string, change: Parameters<typeof someCall>[0] = {}) {
  const mapping = readFileSync(new URL(`../../../docs/recipes/${recipe}.yaml`, import.meta.url), 'utf8');
  const destination = await connect({ url: `${endpoint.url}/${recipe}` });
  const outcome = await writeOne(destination, planOf(someCall(change), { mapping }));
  if (!outcome?.ok) throw new Error(JSON.stringify(outcome));
  return endpoint.received.map(({ body }) => body);
}

test('Slack gets blocks that it understands, and what a caller says is plain text', async () => {
  const [message] = await sent('slack', { lead: { name: '<!channel> & co' } });
  expect(message).toEqual({
    text: 'Phone agent: Connected',
    blocks: [
      { type: 'section', text: { type: 'plain_text', text: '<!channel> & co spoke with Alice' } },
      {
        type: 'section',
        fields: [
          { type: 'plain_text', text: 'Outcome: Connected' },
          { type: 'plain_text', text: 'Duration: 1 min 2 s' },
          { type: 'plain_text', text: 'Topic: renewal' },
        ],
      },
    ],
  });
  endpoint.received.splice(0);
  expect(await sent('slack', { outcome: 'no_answer' })).toEqual([]);
});

test('Zapier gets the same flat fields from every call', async () => {
  const [full] = await sent('zapier');
  const [, bare] = await sent('zapier', { lead: {}, vars: {}, agent: {} });
  expect(full).toMatchObject({ event_id: 'main:c1', seconds: 62, phone: PERSONAL.phone, wants_callback: false });
  expect(Object.keys(bare as object).sort()).toEqual(Object.keys(full as object).sort());
  for (const value of Object.values(bare as object)) expect(typeof value).not.toBe('object');
});

test.each(['make', 'n8n'])('%s gets the call in its own structure, and none of the words', async (recipe) => {
  const [event] = await sent(recipe);
  expect(event).toMatchObject({
    type: 'call.connected',
    data: { call: { id: 'c1', outcome: 'connected' }, lead: { phone: PERSONAL.phone }, vars: { topic: 'renewal' } },
  });
  expect(JSON.stringify(event)).not.toContain(PERSONAL.said);
});

test('HubSpot is asked to unsubscribe the address of the list, and no other', async () => {
  const asked = { vars: { do_not_call: true }, lead: { email: PERSONAL.email, email_origin: 'given' as const } };
  expect(await sent('do-not-call-subscription', asked)).toEqual([
    {
      emailAddress: PERSONAL.email,
      subscriptionId: '123456789',
      legalBasis: 'CONSENT_WITH_NOTICE',
      legalBasisExplanation: 'Asked on the phone on 2026-11-20 not to be contacted again (call c1)',
    },
  ]);
  endpoint.received.splice(0);
  const said = { ...asked, lead: { email: PERSONAL.email, email_origin: 'said' as const } };
  expect(await sent('do-not-call-subscription', said)).toEqual([]);
});
