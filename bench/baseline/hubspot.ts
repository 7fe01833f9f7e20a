/** HubSpot, the way it is usually written: search, create or update, log, task; a request that is answered 429 is sent again after a second. */
import type { DeliverCall } from './body.ts';

const base = process.env.HUBSPOT_BASE_URL ?? '';
const token = process.env.HUBSPOT_ACCESS_TOKEN ?? '';

async function ask<T>(method: string, path: string, body: unknown): Promise<T> {
  for (;;) {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.ok) return (await answer.json()) as T;
    const said = await answer.text();
    if (answer.status !== 429) throw new Error(`HubSpot answered ${answer.status}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const DEFINED = (id: number) => [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: id }];

export const deliver: DeliverCall = async ({ lead, call }) => {
  const { results } = await ask<{ results: { id: string }[] }>('POST', '/crm/v3/objects/contacts/search', {
    filterGroups: [{ filters: [{ propertyName: 'phone', operator: 'EQ', value: lead.phone_number }] }],
    limit: 1,
  });
  const properties = { phone: lead.phone_number, firstname: lead.name ?? '' };
  const found = results[0]?.id;
  const person = found
    ? await ask<{ id: string }>('PATCH', `/crm/v3/objects/contacts/${found}`, { properties })
    : await ask<{ id: string }>('POST', '/crm/v3/objects/contacts', { properties });
  await ask('POST', '/crm/v3/objects/calls', {
    properties: {
      hs_timestamp: new Date().toISOString(),
      hs_call_title: 'Call',
      hs_call_body: call.transcript ?? '',
    },
    associations: [{ to: { id: person.id }, types: DEFINED(194) }],
  });
  if (!process.env.BASELINE_NO_TASK) {
    await ask('POST', '/crm/v3/objects/tasks', {
      properties: { hs_timestamp: new Date().toISOString(), hs_task_subject: 'Call back' },
      associations: [{ to: { id: person.id }, types: DEFINED(204) }],
    });
  }
};
