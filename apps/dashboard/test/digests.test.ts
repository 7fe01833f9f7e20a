/** What was sent of digests, on the page of connections and by the API, narrowed to whom they are about. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askApi, tokenFor } from './support/api.ts';
import { configWithAcme, type Harness, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  const config = configWithAcme();
  const mapping = config.routes[0]?.mapping as (typeof config.digests)[number]['mapping'];
  const times = { to: 'alerts', at: 8 * 60, time_zone: 'Europe/Berlin', mapping };
  const digests = [
    { ...times, name: 'monday', every: 'week' as const },
    { ...times, name: 'acme.daily', every: 'day' as const, client: 'acme', to: 'acme.sales' },
  ];
  dashboard = await startDashboard({ config: () => ({ ...config, digests }) });
  const last = { period: '2026-W48', at: Date.parse('2026-11-30T07:00:03Z') };
  await dashboard.store.digests.note('monday', {
    ...{
      ...last,
      state: 'failed',
      attempts: 8,
      code: 'unavailable',
      reason: 'POST /hook: the endpoint <answered> 503.',
    },
  });
});
afterAll(() => dashboard.close());

const page = async (path: string) => (await (await dashboard.get(path)).text()).replace(/\s+/g, ' ');

it('the page says when each goes out next, and what became of the last one', async () => {
  const text = await page('/connections');
  expect(text).toMatch(
    /<td>monday<\/td><td>all calls<\/td><td>alerts<\/td><td>each week at 08:00, Europe\/Berlin<\/td><td class="why"><span class="chip dead">failed<\/span> 2026-W48/,
  );
  expect(text).toContain('<b>unavailable</b> POST /hook: the endpoint &lt;answered&gt; 503.');
  expect(text).toMatch(/<td>acme\.daily<\/td><td>acme<\/td>.*none was due yet/);
  const own = await page('/connections?client=acme');
  expect(own).toContain('<td>acme.daily</td>');
  expect(own).not.toContain('<td>monday</td>');
});

it('the API has the same, and a token that is bound to a client no others', async () => {
  const all = (await askApi(dashboard, await tokenFor(dashboard, 'viewer'), '/digests')).body.items;
  expect(all).toMatchObject([
    {
      ...{ name: 'monday', client: null, to: 'alerts', every: 'week', at: '08:00', time_zone: 'Europe/Berlin' },
      next: expect.stringMatching(/^\d{4}-\d\d-\d\dT0[67]:00:00\.000Z$/),
      last: { period: '2026-W48', state: 'failed', at: '2026-11-30T07:00:03.000Z', attempts: 8, code: 'unavailable' },
    },
    { name: 'acme.daily', client: 'acme' },
  ]);
  expect(all[1]).not.toHaveProperty('last');
  const bound = await tokenFor(dashboard, 'viewer', 'acme');
  expect((await askApi(dashboard, bound, '/digests')).body.items).toMatchObject([{ name: 'acme.daily' }]);
});

it('says so where none is configured', async () => {
  const plain = await startDashboard();
  try {
    expect(await (await plain.get('/connections')).text()).toContain('None is configured.');
  } finally {
    await plain.close();
  }
});
