/** Deciding what is parked, one after the other and many at once, as forms without a script. */
import { hashPassword, type Users } from '@wrapup/config';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { openAmbiguous } from './support/ambiguous.ts';
import { basic, configWithAcme, parked, parkedOfAcme, startDashboard } from './support/harness.ts';

let open: Awaited<ReturnType<typeof openAmbiguous>>;
// A page waits a second for Redis and then says so: here no other test keeps it busy.
let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis({ appendonly: false });
});
afterAll(() => redis.stop());
beforeEach(async () => {
  open = await openAmbiguous({ redis: redis.url });
  return () => open.close();
});

const read = async (path: string) => (await open.dashboard.get(path)).text();
const audited = async () => (await open.dashboard.store.audit.page({})).entries;
/** Fields of the first form of a page that leads there. */
function formOf(page: string, action: string): Record<string, string> {
  const form = new RegExp(`<form[^>]*action="${action}"[^>]*>(.*?)</form>`, 's').exec(page)?.[1] ?? '';
  const fields = [...form.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]));
}

it('shows what the call says beside each candidate, says what agrees in words, and notes both looks', async () => {
  const id = await open.park();
  const written = open.sandbox.journal().length;
  const page = await read('/parked/decide');
  expect(page).toContain('<b>1 left</b>');
  expect(page).toMatch(new RegExp(`>Record</th>.*?<a href="[^"]*${open.rob}"`, 's'));
  const row = (label: string) => new RegExp(`<th scope="row">${label}</th>.*?</tr>`, 's').exec(page)?.[0] ?? '';
  expect(row('Name')).toMatch(/Dana.*Rob Example.*≠ differs.*Dana Example.*✓ agrees/s);
  expect(row('Phone')).toMatch(/✓ agrees.*✓ agrees/s);
  expect(row('jobtitle')).toMatch(/Buyer.*Plumber.*≠ differs.*Buyer.*✓ agrees/s);
  expect(row('Company')).toMatch(/nothing.*nothing.*Acme/s);
  expect(page).toContain('<h2>Variables</h2>');
  const place = { source: 'main', call_id: id, route: 'sales-calls' };
  expect((await audited()).slice(0, 2)).toMatchObject([
    { action: 'look up', ...place, connection: 'sales' },
    { action: 'read payload', ...place },
  ]);
  expect(open.sandbox.journal()).toHaveLength(written);
  expect(open.dashboard.logged()).not.toMatch(/Dana|Example|4155550142/);
});

it('opens the next one by itself once one is decided, dropped or left, and begins again at the end', async () => {
  const [third, second, first] = [await open.park('a'), await open.park('b'), await open.park('c')];
  let page = await read('/parked/decide');
  const fields = formOf(page, `/calls/${first}/choose`);
  expect(fields).toMatchObject({ source: 'main', route: 'sales-calls', person: open.rob });
  const chosen = await open.dashboard.post(`/calls/${first}/choose`, { ...fields, person: open.dana });
  const next = chosen.headers.get('location') ?? '';
  expect(next).toMatch(/^\/parked\/decide\?/);
  expect(await open.dashboard.delivery(first)).toMatchObject({ state: 'queued', chosen: { person: open.dana } });
  page = await read(next);
  expect(page).toContain('<b>2 left</b>');
  expect(page).toContain('Queued again');
  expect(page).toMatch(new RegExp(`href="/calls/${first}[^"]*">The call before`));
  const leave = formOf(page, '/parked/decide');
  expect(page).toContain(`/calls/${second}/drop`);
  page = await read(`/parked/decide?${new URLSearchParams(leave)}`);
  const drop = { ...formOf(page, `/calls/${third}/drop`), reason: 'a test call' };
  page = await read((await open.dashboard.post(`/calls/${third}/drop`, drop)).headers.get('location') ?? '');
  expect(page).toContain('That was the last');
  expect(page).toContain('1 delivery was left as they are');
  expect(await open.dashboard.delivery(third)).toMatchObject({ state: 'dropped' });
  const again = /<a href="([^"]*)">Begin again/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(await read(again)).toContain(`/calls/${second}/choose`);
});

it('creates the person of whom the CRM knows nothing, where the mapping waits for a decision', async () => {
  const { dashboard, park } = open;
  const id = await park('n', 'main', {
    code: 'unmatched_person',
    reason: 'No contact.',
    candidates: null,
    ambiguous: null,
  });
  const page = await read('/parked/decide');
  expect(page).toContain('Create a new person');
  const fields = formOf(page, `/calls/${id}/choose`);
  const wrong = { ...fields, person: open.rob };
  expect((await dashboard.post(`/calls/${id}/choose`, wrong)).headers.get('location')).toContain('did=no_candidate');
  expect((await dashboard.delivery(id)).state).toBe('parked');
  await dashboard.post(`/calls/${id}/choose`, fields);
  expect(await dashboard.delivery(id)).toMatchObject({ state: 'queued', chosen: { person: 'new' } });
});

it('leads back to no other address than its own', async () => {
  const id = await open.park();
  for (const back of [
    '//evil.example/parked/decide?',
    'https://evil.example',
    '/parked/decideX?',
    '/parked\\decide?',
  ]) {
    const fields = { source: 'main', route: 'sales-calls', person: 'none', back };
    const place = (await open.dashboard.post(`/calls/${id}/choose`, fields)).headers.get('location');
    expect(place).toMatch(new RegExp(`^/calls/${id}`));
  }
});

it('decides all of a number, after it has said which and what would be written', async () => {
  const [a, b, other] = [await open.park(), await open.park(), await open.park('n-2')];
  const page = await read(`/parked/decide?id=${b}&id_source=main&id_route=sales-calls`);
  const link = /<a href="(\/parked\/choose[^"]*)">The same for 1 other of this number…/.exec(page)?.[1] ?? '';
  const before = open.sandbox.journal().length;
  const preview = await read(link.replaceAll('&amp;', '&').replace(/person=\d+/, `person=${open.dana}`));
  expect(preview).toContain(`Decide 2 deliveries for ${open.dana}`);
  for (const id of [a, b]) expect(preview).toContain(id);
  expect(preview).not.toContain(other);
  expect(preview).toMatch(/writes \d+ fields?: update contacts, create calls/);
  expect(open.sandbox.journal()).toHaveLength(before);
  expect((await open.dashboard.delivery(a)).state).toBe('parked');
  const fields = { ...formOf(preview, '/parked/choose'), remember: 'yes' };
  const done = await open.dashboard.post('/parked/choose', fields);
  const after = await read(done.headers.get('location') ?? '');
  expect(after).toContain('2 of 2 queued again.');
  expect(after).toContain('<b>1 left</b>');
  for (const id of [a, b])
    expect(await open.dashboard.delivery(id)).toMatchObject({ state: 'queued', chosen: { person: open.dana } });
  expect(await open.dashboard.store.choices.list()).toMatchObject([{ person: open.dana, call_id: b }]);
  expect((await open.dashboard.post('/parked/choose', fields)).headers.get('location')).toContain('did=moved');
  expect((await open.dashboard.get(link.replaceAll('&amp;', '&'))).status).toBe(404);
});

it('says before a replay of many what it would do, and afterwards which were left and why', async () => {
  const [kept, gone] = [await open.park(), await open.park()];
  const revision = (await open.dashboard.delivery(gone)).revision;
  await open.dashboard.store.payloads.remove('main', gone, [revision]);
  await open.dashboard.store.connections.pause('sales', 'moving', { name: 'kim', via: 'dashboard' });
  const list = await read('/parked?code=ambiguous_person');
  const link = /<a class="button" href="([^"]*)">Replay these 2…/.exec(list)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const page = await read(link);
  expect(page).toContain('Replay 2 deliveries');
  expect(page).toContain('is paused by kim: moving.');
  expect(page).toContain('stays: no payload is left to deliver');
  expect(page).toMatch(/<td>ambiguous person<\/td><td>sales-calls<\/td>.*?>2<\/td>/s);
  const asked = await open.dashboard.post('/parked/preview', formOf(page, '/parked/preview'));
  expect(await asked.text()).toMatch(/writes 0 fields|writes \d+ field/);
  expect((await audited())[0]).toMatchObject({ action: 'look up', connection: 'sales', of: 1 });
  const done = await open.dashboard.post('/parked/replay', formOf(page, '/parked/replay'));
  const after = await read(done.headers.get('location') ?? '');
  expect(after).toContain('1 of 2 queued again; 1 have no payload left');
  expect(after).toMatch(new RegExp(`Left as they are.*${gone}.*no payload is left to deliver`, 's'));
  expect((await open.dashboard.delivery(kept)).state).toBe('queued');
});

it('drops many between two moments only, with a reason', async () => {
  const { dashboard, park } = open;
  const id = await park();
  const none = await read('/parked/preview?action=drop&from=2020-01-01T00:00&to=2020-01-02T00:00');
  expect(none).toContain('Nothing to drop');
  const page = await read('/parked/preview?action=drop&from=2020-01-01T00:00');
  expect(page).toContain('Drop 1 delivery');
  await dashboard.post('/parked/drop', { ...formOf(page, '/parked/drop'), why: 'test calls' });
  expect(await dashboard.delivery(id)).toMatchObject({ state: 'dropped', dropped: { reason: 'test calls' } });
});

it('refuses a viewer, and shows no way there', async () => {
  const password = await hashPassword('correct horse battery staple');
  const users: Users = { viewer: { role: 'viewer', password } };
  const dashboard = await startDashboard({ redis: redis.url, users: () => users, prefix: open.dashboard.prefix });
  try {
    const id = await open.park();
    const as = basic('viewer', 'correct horse battery staple');
    for (const path of ['/parked/decide', `/parked/choose?of_source=main&call_id=${id}&of_route=sales-calls&person=1`])
      expect((await dashboard.get(path, as)).status).toBe(403);
    const list = await (await dashboard.get('/parked', as)).text();
    expect(list).toContain(id);
    expect(list).not.toMatch(/\/parked\/(decide|preview|choose)|\/choose"/);
    const preview = await (await dashboard.get('/parked/preview?action=replay', as)).text();
    expect(preview).not.toContain('<form class="act"');
  } finally {
    await dashboard.close();
  }
});

it('is of the client that a login is bound to, and of no other', async () => {
  const password = await hashPassword('correct horse battery staple');
  const users: Users = { bound: { role: 'operator', client: 'acme', password } };
  const config = configWithAcme();
  const dashboard = await startDashboard({ users: () => users, config: () => config });
  try {
    const ambiguous = { by: 'phone' as const, digest: 'n' };
    const other = await dashboard.seed(parked({ candidates: ['101', '102'], ambiguous }));
    const own = await dashboard.seed(parkedOfAcme());
    const as = basic('bound', 'correct horse battery staple');
    const get = async (path: string) => dashboard.get(path, as);
    const place = `source=main&call_id=${other}&route=sales-calls`;
    const paths = ['/parked/decide', `/parked/decide?id=${other}&id_source=main&id_route=sales-calls`];
    for (const path of [...paths, '/parked/preview?action=replay']) {
      const page = await (await get(path)).text();
      expect(page).not.toContain(other);
    }
    expect(await (await get('/parked/decide')).text()).toContain(own);
    expect(
      (await get(`/parked/choose?${place.replace('source', 'of_source').replace('route', 'of_route')}&person=101`))
        .status,
    ).toBe(404);
    const fields = { of_source: 'main', call_id: other, of_route: 'sales-calls', person: '101' };
    const answer = await dashboard.post('/parked/choose', fields, { ...as, origin: dashboard.url });
    expect(answer.status).toBe(404);
    expect((await dashboard.delivery(other)).state).toBe('parked');
  } finally {
    await dashboard.close();
  }
});
