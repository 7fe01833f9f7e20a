import { hubspotKind } from '@wrapup/hubspot';
import { makeContext } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { samplePayload } from '@wrapup/synthflow';
import { describe, expect, it } from 'vitest';
import { MAPPING_FILE, makeConfigFolder } from './support/config-folder.ts';
import { startDashboard } from './support/harness.ts';

describe('the workbench, when the CRM is asked', () => {
  it('shows whom it found, old and new of each field, what stays, what is linked and what it would cost', async () => {
    const sandbox = await startSandbox({ provisioned: true, settings: { hubspot: { search_lag: 0 } } });
    const files = await makeConfigFolder(sandbox.hubspotUrl, {
      [MAPPING_FILE]:
        'extends: hubspot/call-log\nperson: { ambiguous: oldest, fields: { city: vars.city, jobtitle: vars.topic } }\n',
    });
    const own = await startDashboard({ config: files.config });
    try {
      const phone = '+14155550142';
      const contacts = [
        { properties: { phone, firstname: 'Daniela', jobtitle: 'CEO' } },
        { properties: { phone, firstname: '<b>Dan</b>' } },
      ];
      sandbox.control.seed({ records: { contacts } });
      const payload = JSON.stringify(samplePayload('connected'));
      const answer = await own.post('/playground', { payload, source: 'main', do: 'ask' });
      const text = (await answer.text()).replace(/\s+/g, ' ');
      expect(text).toContain('2 records found by phone: is written to.');
      // The look-up is an operator's action; whom it was about is not in the log.
      const [line = '', ...others] = own
        .logged()
        .split('\n')
        .filter((one) => one.includes('an operator acted'));
      expect(others).toEqual([]);
      expect(JSON.parse(line)).toMatchObject({
        ...{ action: 'look up', user: 'local user', address: '127.0.0.1' },
        ...{ source: 'main', route: 'sales-calls', connection: 'sales' },
      });
      expect(own.logged()).not.toMatch(/4155550142|Daniela/);
      expect(text).toMatch(/chosen<\/span>.*Daniela.*not taken<\/span>.*&lt;b&gt;Dan/);
      expect(text).toMatch(
        /<code>firstname<\/code><\/td> <td class="value">Daniela<\/td> <td class="value"><i>stays<\/i>, not Dana/,
      );
      expect(text).toMatch(/<code>jobtitle<\/code><\/td> <td class="value">CEO<\/td> <td class="value">upgrade/);
      expect(text).toMatch(/create call-back <span class="to">tasks, linked to person/);
      expect(text).toMatch(/person\.city.*vars\.city is not in the call.*mappings\/hubspot\.yaml:2/);
      expect(text).toMatch(/It would cost \d+ requests?\. Nothing was written\./);
      expect(sandbox.records('calls')).toEqual([]);

      sandbox.control.fault({ kind: 'unauthorized', times: null });
      const refused = await own.post('/playground', { payload, source: 'main', do: 'ask' });
      const said = await refused.text();
      expect(said).toContain('The CRM could not be asked');
      // The mapping alone is better than nothing.
      expect(said).toContain('looked for by');
    } finally {
      await own.close();
      await sandbox.close();
      files.remove();
    }
  });

  it('renews tokens with the workers, whose refresh token the CRM has replaced', async () => {
    const sandbox = await startSandbox({
      provisioned: true,
      settings: { hubspot: { search_lag: 0, oauth: { rotate: true } } },
    });
    const app = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', refresh_token: 'sandbox-refresh' };
    const settings = hubspotKind.settings.parse({ ...app, base_url: sandbox.hubspotUrl });
    const files = await makeConfigFolder(sandbox.hubspotUrl);
    const base = files.config();
    const own = await startDashboard({
      config: () => ({ ...base, connections: { sales: { name: 'sales', kind: 'hubspot', settings } } }),
    });
    try {
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const signal = new AbortController().signal;
      const context = makeContext(own.store, { connection: 'sales', priority: 'live', within: 60_000, signal, log });
      const worker = await hubspotKind.connect('sales', settings);
      await worker.probe(context);
      await worker.close();
      // The worker's access token has ended; the refresh token of the configuration is no longer taken.
      for (const key of await own.store.redis.keys(`${own.store.keys.prefix}*access*`)) await own.store.redis.del(key);
      const payload = JSON.stringify(samplePayload('connected'));
      const answer = await own.post('/playground', { payload, source: 'main', do: 'ask' });
      expect(await answer.text()).toMatch(/No person is found: would be created/);
      expect(sandbox.control.requests().by_operation['oauth token']).toBe(2);
    } finally {
      await own.close();
      await sandbox.close();
      files.remove();
    }
  });
});
