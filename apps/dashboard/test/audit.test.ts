import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, configOf, type Harness, parked, sessionCookie, startDashboard } from './support/harness.ts';

const credentials = { user: 'admin', password: 'a long enough password' };
const acme = { name: 'acme', file: 'clients/acme.yaml', state: 'current', hash: 'a' } as const;

let dashboard: Harness;
beforeAll(async () => {
  const retention = configOf().retention;
  const config = configOf({ clients: { acme: { ...acme, errors: [], password: 'of acme alone', retention } } });
  dashboard = await startDashboard({ credentials, config: () => config, trustedProxies: ['loopback'] });
});
afterAll(() => dashboard.close());

const admin = basic('admin', credentials.password);
const audit = async (path = '/audit', headers: Record<string, string> = admin) =>
  (await dashboard.get(path, headers)).text();

describe('the audit', () => {
  it('says who did what, from which address, and leads to the call', async () => {
    const id = await dashboard.seed(parked());
    const headers = { ...admin, origin: dashboard.url, 'x-forwarded-for': '203.0.113.9' };
    const fields = { source: 'main', route: 'sales-calls', reason: 'a test call' };
    expect((await dashboard.post(`/calls/${id}/drop`, fields, headers)).status).toBe(303);
    const [entry] = (await dashboard.store.audit.page()).entries;
    expect(entry).toMatchObject({ action: 'drop', by: 'admin', via: 'dashboard', from: '203.0.113.9', call_id: id });
    const page = await audit();
    expect(page).toContain('dashboard, 203.0.113.9');
    expect(page).toContain(
      `<a href="/calls/${id}?source=main">${id}</a> on sales-calls, was parked (ambiguous_person)`,
    );
    expect(await audit('/audit?action=replay')).toContain('Nothing of the kind was done.');
    expect(await audit(`/audit?call_id=${id}&by=admin&since=1h`)).toContain('203.0.113.9');
  });

  it('has who signed in and out', async () => {
    const answer = await dashboard.login({ user: 'acme', password: 'of acme alone' });
    const cookie = sessionCookie(answer);
    await dashboard.post('/logout', {}, { origin: dashboard.url, cookie });
    const { entries } = await dashboard.store.audit.page({ by: 'acme' });
    expect(entries).toMatchObject([
      { action: 'sign out', client: 'acme' },
      { action: 'sign in', client: 'acme' },
    ]);
  });

  it('shows a login of a client what is that client’s alone', async () => {
    await dashboard.store.audit.note(
      { name: 'tom', via: 'command line', from: 'ops-1' },
      { action: 'pause', connection: 'acme.sales' },
    );
    const page = await audit('/audit', basic('acme', 'of acme alone'));
    expect(page).toContain('connection acme.sales');
    expect(page).not.toContain('203.0.113.9');
    expect(await audit('/audit?client=acme')).toContain('connection acme.sales');
  });
});
