/**
 * The way it is usually written: one job per call, and for each call a search for the person, a write of the person, a
 * write of the call log, and a task. It keeps HubSpot's limits as well as that can be done without batches: jobs start at
 * the rate that the searches allow, and what is told 429 comes again after a second. It has no keys, so a crash may write
 * twice.
 */
import { Worker } from 'bullmq';

const base = process.env.HUBSPOT_BASE_URL ?? '';
const token = process.env.HUBSPOT_ACCESS_TOKEN ?? '';
/** Without limits: for measuring what the machine does. */
const limiter = process.env.BASELINE_UNLIMITED ? {} : { limiter: { max: 5, duration: 1_000 } };

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

interface Body {
  lead: { name?: string; phone_number: string };
  call: { call_id: string; start_time: string; duration?: number; transcript?: string };
}

const DEFINED = (id: number) => [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: id }];

const worker = new Worker<Body>(
  'calls',
  async ({ data: { lead, call } }) => {
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
  },
  {
    connection: { url: process.env.REDIS_URL ?? '', maxRetriesPerRequest: null },
    prefix: process.env.WRAPUP_PREFIX ?? 'bull',
    concurrency: 20,
    ...limiter,
  },
);
worker.on('error', () => {});
worker.on('failed', (_job, error) => console.error(JSON.stringify({ msg: error.message })));
await worker.waitUntilReady();
console.log(JSON.stringify({ port: 0, msg: 'baseline listens' }));
