import type { Omission } from '@wrapup/destination';
import type { CompiledMapping } from '@wrapup/mapping';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { configOf, type Harness, type Seed, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeEach(async () => {
  dashboard = await startDashboard();
});
afterEach(() => dashboard.close());

const omission: Omission = {
  ...{
    code: 'unknown_option',
    record: 'person',
    field: 'wrapup_timeline',
    at: { file: 'mappings/hubspot.yaml', line: 12, column: 5 },
  },
  reason: 'update contacts: the value is not among the property’s options',
  hint: 'Add the option in HubSpot; then replay.',
};
const without = (notes: Omission[] = [omission], place = { route: 'sales-calls', connection: 'sales' }): Seed => ({
  deliveries: [{ ...place, change: { state: 'written', records: [], requests: 1, notes } }],
});
const page = async (path: string, status = 200) => {
  const answer = await dashboard.get(path);
  expect([path, answer.status]).toEqual([path, status]);
  return answer.text();
};
const lineOf = async () => {
  const [line] = await dashboard.store.omissions.list({ connections: ['sales'] });
  if (!line) throw new Error('there is no line');
  return line;
};

it('lists what was left out, with why, what to do, and the last calls as links', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) ids.push(await dashboard.seed(without()));
  await dashboard.seed(without([]));
  const text = await page('/omissions');
  expect(text).toContain('<code>person.wrapup_timeline</code>');
  expect(text).toContain('sales, mappings/hubspot.yaml:12');
  expect(text).toMatch(/<code>unknown_option<\/code> update contacts.*Add the option in HubSpot/s);
  for (const id of ids.slice(1)) expect(text).toContain(`href="/calls/${id}?source=main"`);
  expect(text).not.toContain(ids[0]);
  expect(text).toContain('Replay these 4 calls…');
  expect(await page('/omissions?reason=missing_property')).toContain('Nothing was left out in this time.');
  expect(await page('/omissions?connection=alerts')).toContain('Nothing was left out in this time.');
  expect(await page('/omissions?connection=sales&reason=unknown_option&since=1h')).toContain('wrapup_timeline');
  expect(await page('/omissions?reason=constructor&since=never')).toContain('wrapup_timeline');
});

it('replays the calls of a line, and says so', async () => {
  const ids = [await dashboard.seed(without()), await dashboard.seed(without())];
  const whole = await dashboard.seed(without([]));
  const { id } = await lineOf();
  const answer = await dashboard.post(`/omissions/${id}/replay`, { connection: 'sales', since: '24h' });
  expect(answer.status).toBe(303);
  const to = answer.headers.get('location') ?? '';
  expect(to).toBe('/omissions?connection=sales&since=24h&did=replayed_many&done=2&of=2&gone=0');
  expect(await page(to)).toContain('2 of 2 queued again.');
  for (const one of ids) expect(await dashboard.delivery(one)).toMatchObject({ state: 'queued', replays: 1 });
  expect(await dashboard.delivery(whole)).toMatchObject({ state: 'written', replays: 0 });
  expect(dashboard.logged()).toMatch(/"action":"replay omissions".*"code":"unknown_option","of":2,"done":2/);
  // They are on their way.
  const again = await dashboard.post(`/omissions/${id}/replay`, {});
  expect(again.headers.get('location')).toContain('done=0&of=2');
  expect((await dashboard.post('/omissions/0123456789/replay', {})).status).toBe(404);
});

/** The operator's lines of the log about replays of lines, oldest first. */
const acted = () =>
  dashboard
    .logged()
    .split('\n')
    .filter((text) => text.includes('"replay omissions"'))
    .map((text) => JSON.parse(text) as object);

it('answers before a long replay is done, which goes on and is logged at both ends', async () => {
  const ids = [await dashboard.seed(without()), await dashboard.seed(without())];
  const { id } = await lineOf();
  const { operations } = dashboard.store;
  const replay = operations.replay.bind(operations);
  const gate = Promise.withResolvers<void>();
  const held = vi.spyOn(operations, 'replay').mockImplementation(async (...given) => {
    await gate.promise;
    return replay(...given);
  });
  const answer = await dashboard.post(`/omissions/${id}/replay`, { connection: 'sales' });
  expect(answer.headers.get('location')).toBe('/omissions?connection=sales&did=line_goes_on');
  expect(await page('/omissions?connection=sales&did=line_goes_on')).toContain('goes on behind this page');
  expect(acted()).toMatchObject([{ line: id, of: 2 }]);
  gate.resolve();
  await expect.poll(acted).toMatchObject([
    { line: id, of: 2 },
    { line: id, of: 2, done: 2, gone: 0 },
  ]);
  for (const one of ids) expect(await dashboard.delivery(one)).toMatchObject({ state: 'queued', replays: 1 });
  held.mockRestore();
});

it('says that a replay was interrupted, and the same again does the rest', async () => {
  const ids = [await dashboard.seed(without()), await dashboard.seed(without())];
  const { id } = await lineOf();
  const { operations } = dashboard.store;
  const replay = operations.replay.bind(operations);
  const broken = vi.spyOn(operations, 'replay').mockImplementation(async (...given) => {
    if (given[1] === ids[1]) throw new Error('Redis went away');
    return replay(...given);
  });
  const answer = await dashboard.post(`/omissions/${id}/replay`, {});
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('/omissions?did=line_interrupted');
  expect(acted()).toMatchObject([
    { line: id, of: 2 },
    { line: id, msg: expect.stringMatching(/interrupted/) },
  ]);
  broken.mockRestore();
  const again = await dashboard.post(`/omissions/${id}/replay`, {});
  expect(again.headers.get('location')).toMatch(/did=replayed_many&done=[12]&of=2/);
  for (const one of ids) expect(await dashboard.delivery(one)).toMatchObject({ state: 'queued', replays: 1 });
});

it('names commands as they are called here', async () => {
  await dashboard.seed(without([{ ...omission, hint: 'Run `wrapup provision`, which creates it; then replay.' }]));
  vi.stubEnv('WRAPUP_COMMAND', 'npm run wrapup --');
  expect(await page('/omissions')).toMatch(
    /Run `npm run wrapup -- provision`.*<code>npm run wrapup -- omissions replay /s,
  );
  vi.unstubAllEnvs();
  expect(await page('/omissions')).toContain('Run `wrapup provision`');
});

it('a client’s page and login know its own lines only', async () => {
  const client = {
    file: '/clients/acme.yaml',
    state: 'current',
    hash: 'a',
    errors: [],
    retention: configOf().retention,
  } as const;
  const base = configOf();
  const config = configOf({
    clients: { acme: { ...client, name: 'acme' }, bolt: { ...client, name: 'bolt' } },
    sources: {
      ...base.sources,
      'acme.main': { ...(base.sources.main as never as object), name: 'acme.main' } as never,
    },
    connections: { ...base.connections, 'acme.sales': { name: 'acme.sales', kind: 'hubspot', settings: {} } },
  });
  const scoped = await startDashboard({ config: () => config, prefix: dashboard.prefix });
  try {
    await dashboard.seed(without());
    await dashboard.seed({
      source: 'acme.main',
      ...without([{ ...omission, field: 'theirs' }], { route: 'acme.calls', connection: 'acme.sales' }),
    });
    const all = await (await scoped.get('/omissions')).text();
    expect([all.includes('person.theirs'), all.includes('person.wrapup_timeline')]).toEqual([true, true]);
    const theirs = await (await scoped.get('/omissions?client=acme')).text();
    expect([theirs.includes('person.theirs'), theirs.includes('person.wrapup_timeline')]).toEqual([true, false]);
    expect(theirs).toMatch(/action="\/omissions\/[0-9a-f]{10}\/replay\?client=acme"/);
    const { id } = await lineOf();
    expect((await scoped.post(`/omissions/${id}/replay?client=acme`, {})).status).toBe(404);
    expect((await lineOf()).open).toBe(1);
  } finally {
    await scoped.close();
  }
});

it('names what no call brings, with what may be meant, and how often each line was filled', async () => {
  const at = { file: 'mappings/event.yaml', line: 1, column: 10 };
  const mapping = {
    ...{ name: 'mappings/event.yaml', kind: 'http', hash: 'abc', records: [], plan: undefined as never },
    fields: [{ record: 'event', object: 'event', property: 'budget', use: 'write', at }],
    reads: [{ path: 'vars.budgett', segments: ['vars', 'budgett'], at }],
  } satisfies CompiledMapping;
  const base = configOf();
  const config = { ...base, routes: base.routes.map((route) => ({ ...route, mapping })) };
  const own = await startDashboard({ config: () => config, prefix: dashboard.prefix });
  try {
    const day = Math.floor(Date.now() / 86_400_000);
    const key = `${own.store.keys.omissions}sales:fields:sales-calls:${day}`;
    await own.store.redis.hset(key, {
      'm:vars.budgett': 25,
      'n:vars.budget': 25,
      'a:event.budget': 25,
      'f:event.budget': 3,
    });
    const text = await (await own.get('/omissions')).text();
    expect(text).toMatch(
      /Never seen.*<code>vars\.budgett<\/code>.*mappings\/event\.yaml:1.*>25<.*<code>vars\.budget<\/code>, which comes/s,
    );
    expect(text).toMatch(/<code>event\.budget<\/code>.*>3<\/td><td class="number">25<\/td><td class="number">0</s);
  } finally {
    await own.close();
  }
});

it('the list of calls marks those that lack something, counts them, and shows them alone', async () => {
  const [lacks, whole] = [await dashboard.seed(without()), await dashboard.seed(without([]))];
  const text = await page('/calls');
  expect(text).toContain('1 field left out');
  const only = await page('/calls?omitted=1');
  expect([only.includes(lacks), only.includes(whole)]).toEqual([true, false]);
  expect([(await page('/calls?omitted=1&connection=alerts')).includes(lacks)]).toEqual([false]);
});

it('the page of a call says first what was left out, and replays a written call', async () => {
  const id = await dashboard.seed(without());
  const text = await page(`/calls/${id}?source=main`);
  expect(text.indexOf('Left out')).toBeLessThan(text.indexOf('<dt>Since'));
  expect(text).toMatch(/<code>person\.wrapup_timeline<\/code>.*hubspot\.yaml:12.*Add the option in HubSpot/s);
  expect(text).toContain('Written, without what is left out');
  const answer = await dashboard.post(`/calls/${id}/replay`, { source: 'main', route: 'sales-calls' });
  expect(answer.headers.get('location')).toContain('did=replayed');
  expect(await dashboard.delivery(id)).toMatchObject({ state: 'queued', replays: 1 });
  // A whole one has the button too: a mapping may have changed.
  const whole = await dashboard.seed(without([]));
  expect(await page(`/calls/${whole}?source=main`)).toContain(`action="/calls/${whole}/replay"`);
});
