/** A dashboard beside a HubSpot that has the same number twice, with real calls parked for it. */
import { randomUUID } from 'node:crypto';
import { hubspotKind } from '@wrapup/hubspot';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import { type DeliveryChange, revisionOf } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { samplePayload } from '@wrapup/synthflow';
import { beginAttempt, makeArrival } from '../../../../test/support/store.ts';
import { configOf, type HarnessOptions, startDashboard } from './harness.ts';

const TEXT = `
person: { match: [phone], ambiguous: park, fields: { firstname: lead.first_name, jobtitle: { value: Buyer } } }
call_log: { title: "Call: {{ call.outcome }}" }
`;
export const NUMBER = '+14155550142';

export async function openAmbiguous(options: HarnessOptions = {}) {
  const sandbox = await startSandbox({ port: 0, provisioned: true });
  sandbox.control.settings({ hubspot: { search_lag: 0 } });
  const { mapping } = compileMapping({
    ...{ name: 'mappings/hubspot.yaml', text: TEXT, dialect: hubspotKind.dialect },
    readFile: () => undefined,
  });
  const settings = hubspotKind.settings.parse({ access_token: 'pat-na1-twins', base_url: sandbox.hubspotUrl });
  const base = configOf();
  const config = configOf({
    connections: { sales: { name: 'sales', kind: 'hubspot', settings } },
    routes: base.routes.slice(0, 1).map((route) => ({ ...route, mapping: mapping as CompiledMapping })),
  });
  const dashboard = await startDashboard({ config: () => config, ...options });
  const { contacts = [] } = sandbox.control.seed({
    records: {
      contacts: [
        { properties: { firstname: 'Rob', lastname: 'Example', phone: NUMBER, jobtitle: 'Plumber' } },
        { properties: { firstname: 'Dana', lastname: 'Example', phone: NUMBER, jobtitle: 'Buyer', company: 'Acme' } },
      ],
    },
  });
  const [rob = '', dana = ''] = contacts;

  /** A call of the number that is parked, as several have it. @param digest of the number */
  async function park(digest = 'n-1', source = 'main', more: DeliveryChange = {}): Promise<string> {
    const { store } = dashboard;
    const call_id = randomUUID();
    const body = Buffer.from(JSON.stringify(samplePayload('connected', { call_id, phone: NUMBER })));
    await store.accept(makeArrival(call_id, body, { source }), 90);
    const ref = { source, call_id, revision: revisionOf(body), route: 'sales-calls', replays: 0 };
    const wanted = [{ route: 'sales-calls', connection: 'sales' }];
    await store.ledger.route(ref, { effect: 'applied', facts: { outcome: 'connected', notes: [] }, wanted });
    await beginAttempt(store, ref, mapping?.hash);
    await store.ledger.recordOutcome(ref, {
      ...{ state: 'parked', code: 'ambiguous_person', reason: '2 contacts have the caller’s phone.' },
      ...{ hint: 'Choose the one it is.', candidates: [rob, dana], ambiguous: { by: 'phone', digest } },
      ...more,
    });
    return call_id;
  }

  return {
    ...{ dashboard, sandbox, rob, dana, park },
    async close() {
      await dashboard.close();
      await sandbox.close();
    },
  };
}
