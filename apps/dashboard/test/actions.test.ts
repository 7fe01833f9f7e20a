import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
let callId: string;
const target = { source: 'main', route: 'sales-calls' };
beforeAll(async () => {
  dashboard = await startDashboard({ credentials: { user: 'ada', password: 'x' } });
});
afterAll(() => dashboard.close());
beforeEach(async () => {
  callId = await dashboard.seed(parked());
});

const send = (action: string, fields: Record<string, string>, id = callId) =>
  dashboard.post(`/calls/${encodeURIComponent(id)}/${action}`, fields, {
    origin: dashboard.url,
    authorization: `Basic ${Buffer.from('ada:x').toString('base64')}`,
  });
const isFiled = async () => (await dashboard.store.operations.list('parked')).some(({ call_id }) => call_id === callId);
const lastLine = () => JSON.parse(dashboard.logged().trim().split('\n').at(-1) ?? '{}');

describe('replay', () => {
  it('puts the delivery back on its way, with the attempts of its route, and takes it out of parked', async () => {
    expect(await isFiled()).toBe(true);
    const answer = await send('replay', { ...target, back: '/parked' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/parked?did=replayed');
    expect(await dashboard.delivery(callId)).toMatchObject({ state: 'queued', replays: 1, attempts: 0 });
    expect(await isFiled()).toBe(false);
    const jobs = await dashboard.store.queues.deliveries('sales').getJobs(['waiting', 'prioritized']);
    const job = jobs.find(({ data }) => data.call_id === callId && data.replays === 1);
    expect(job?.opts.attempts).toBe(7);
    // The job names the configuration.
    expect(job?.data.config).toBe(configOf().hash);
  });

  it('leaves a line that says who did what', async () => {
    await send('replay', target);
    expect(lastLine()).toMatchObject({
      action: 'replay',
      user: 'ada',
      source: 'main',
      call_id: callId,
      route: 'sales-calls',
      done: 'replayed',
      msg: 'an operator acted',
    });
  });

  it('pressed twice is done once', async () => {
    await send('replay', target);
    const again = await send('replay', target);
    expect(again.headers.get('location')).toBe(`/calls/${callId}?source=main&did=moved`);
    expect(await dashboard.delivery(callId)).toMatchObject({ replays: 1 });
  });

  it('of what was written queues it again: the mapping or the account may have changed', async () => {
    const written = await dashboard.seed({
      deliveries: [{ route: 'sales-calls', connection: 'sales', change: { state: 'written' } }],
    });
    expect((await send('replay', target, written)).headers.get('location')).toContain('did=replayed');
    expect(await dashboard.delivery(written)).toMatchObject({ state: 'queued', replays: 1 });
  });

  it('says so when the files have errors, so that it goes by the configuration before', async () => {
    const own = await startDashboard({ latest: async () => ({ config: configOf(), broken: true }) });
    try {
      const id = await own.seed(parked());
      const one = await own.post(`/calls/${id}/replay`, target);
      expect(one.headers.get('location')).toContain('did=replayed_before');
      expect(await (await own.get(one.headers.get('location') ?? '')).text()).toContain('have errors');
      await own.seed(parked());
      const many = await own.post('/parked/replay', { seen: String(Date.now()) });
      expect(await (await own.get(many.headers.get('location') ?? '')).text()).toMatch(
        /1 of 1 queued again.*have errors/,
      );
    } finally {
      await own.close();
    }
  });

  it('of a call whose payload has expired changes nothing and says what would help', async () => {
    const [revision] = (await dashboard.store.ledger.read('main', callId))?.revisions ?? [];
    await dashboard.store.payloads.remove('main', callId, [revision?.hash ?? '']);
    expect((await send('replay', target)).headers.get('location')).toContain('did=expired');
    expect(await dashboard.delivery(callId)).toMatchObject({ state: 'parked', replays: 0 });
  });

  it('gives a call that never got to its routes another chance', async () => {
    const stopped = await dashboard.seed();
    const why = { code: 'mapping', reason: 'Source main was missing.' };
    await dashboard.store.ledger.stop('main', stopped, why);
    await dashboard.store.operations.addUnresolvedCall({ source: 'main', call_id: stopped }, { at: 1, ...why }, 3);
    const answer = await send('replay', { source: 'main', back: '/dead' }, stopped);
    expect(answer.headers.get('location')).toBe('/dead?did=replayed');
    expect((await dashboard.store.ledger.read('main', stopped))?.stopped).toBeUndefined();
  });

  it('of nothing is refused', async () => {
    expect((await send('replay', {})).status).toBe(400);
    expect((await send('replay', target, 'nobody')).headers.get('location')).toContain('did=moved');
  });

  it('never leads the browser elsewhere', async () => {
    for (const back of ['https://evil.example', '//evil.example', '/\\evil.example', '/parked/../x']) {
      const answer = await send('replay', { ...target, back });
      expect(answer.headers.get('location')).toMatch(/^\/calls\//);
    }
  });
});

describe('choose', () => {
  const several = {
    candidates: ['70000000101', '70000000102'],
    candidate_urls: { 70000000101: 'https://crm.example/101' },
  };
  const ambiguous = { by: 'phone' as const, digest: 'aDigestOfTheNumber' };
  const page = async (path: string) => {
    const answer = await dashboard.get(path, { authorization: `Basic ${Buffer.from('ada:x').toString('base64')}` });
    return (await answer.text()).replace(/\s+/g, ' ');
  };

  it('is a button beside each candidate, on the list and on the page of the call', async () => {
    const id = await dashboard.seed(parked({ ...several, ambiguous }));
    for (const path of [`/parked?reason=ambiguous`, `/calls/${id}`]) {
      const text = await page(path);
      expect(text).toContain('<a href="https://crm.example/101" rel="noreferrer">70000000101</a>');
      expect(text.match(/This is the person: 7000000010[12]/g)?.toSorted()).toEqual(
        expect.arrayContaining(['This is the person: 70000000101', 'This is the person: 70000000102']),
      );
      expect(text).toContain('name="remember"');
      // A replay alone would park it again.
      expect(text).toContain('<button>Replay</button>');
      expect(text).not.toContain('<button class="primary">Replay</button>');
    }
    const said = await dashboard.seed(parked(several));
    expect(await page(`/calls/${said}`)).not.toContain('name="remember"');
  });

  it('sends the call on its way with that person, noting who chose', async () => {
    const id = await dashboard.seed(parked({ ...several, ambiguous }));
    const answer = await send('choose', { ...target, person: '70000000102', back: '/parked' }, id);
    expect(answer.headers.get('location')).toBe('/parked?did=replayed');
    expect(await dashboard.delivery(id)).toMatchObject({
      ...{ state: 'queued', replays: 1 },
      chosen: { person: '70000000102', by: 'ada' },
    });
    expect(await dashboard.store.choices.list()).toEqual([]);
    expect(lastLine()).toMatchObject({ action: 'choose', user: 'ada', call_id: id, record: '70000000102' });
  });

  it('holds for later calls where that is asked for', async () => {
    const id = await dashboard.seed(parked({ ...several, ambiguous }));
    await send('choose', { ...target, person: '70000000101', remember: 'yes' }, id);
    const [kept] = await dashboard.store.choices.list();
    expect(kept).toMatchObject({ digest: ambiguous.digest, person: '70000000101', by: 'ada', call_id: id });
    if (kept) await dashboard.store.choices.remove(kept);
  });

  it('of anyone but a candidate, or without a route, changes nothing', async () => {
    const id = await dashboard.seed(parked({ ...several, ambiguous }));
    const answer = await send('choose', { ...target, person: '70000000999' }, id);
    expect(answer.headers.get('location')).toContain('did=no_candidate');
    expect((await send('choose', { source: 'main', person: '70000000101' }, id)).status).toBe(400);
    expect((await dashboard.delivery(id)).state).toBe('parked');
  });
});

describe('drop', () => {
  it('gives the delivery up and keeps the reason', async () => {
    const before = await dashboard.delivery(callId);
    const answer = await send('drop', { ...target, reason: 'a test call', back: '/parked' });
    expect(answer.headers.get('location')).toBe('/parked?did=dropped');
    expect(await dashboard.delivery(callId)).toMatchObject({
      state: 'dropped',
      code: before.code,
      reason: before.reason,
      dropped: { reason: 'a test call', by: 'ada' },
    });
    const page = await dashboard.get(`/calls/${callId}`, {
      authorization: `Basic ${Buffer.from('ada:x').toString('base64')}`,
    });
    const text = await page.text();
    expect(text).toContain(before.reason);
    expect(text).toContain('by ada: a test call');
    expect(await isFiled()).toBe(false);
    expect(lastLine()).toMatchObject({ action: 'drop', user: 'ada', done: true });
  });

  it.each(['', '   '])('asks for a reason: "%s" is none', async (reason) => {
    expect((await send('drop', { ...target, reason })).headers.get('location')).toContain('did=reason');
    expect((await dashboard.delivery(callId)).state).toBe('parked');
  });

  it('keeps personal data that an operator writes out of the ledger and the log', async () => {
    await send('drop', { ...target, reason: 'jane@example.com of +1 415 555 0132 asked us to' });
    const { dropped } = await dashboard.delivery(callId);
    expect(dropped?.reason).toBe('[e-mail] of [number] asked us to');
    expect(dashboard.logged()).not.toMatch(/jane@example|555 0132/);
  });

  it('gives up a call that never got to its routes, with the reason', async () => {
    const id = await dashboard.seed({});
    const { ledger, operations } = dashboard.store;
    await ledger.stop('main', id, { code: 'unrecognised', reason: 'No call id.', state: 'parked' });
    await operations.addUnresolvedCall(
      { source: 'main', call_id: id },
      { at: 1, code: 'unrecognised', reason: 'No call id.', state: 'parked' },
      1,
    );
    const headers = { authorization: `Basic ${Buffer.from('ada:x').toString('base64')}` };
    expect(await (await dashboard.get('/parked', headers)).text()).toContain('Drop this call');
    expect((await send('drop', { source: 'main', back: '/parked' }, id)).headers.get('location')).toContain(
      'did=reason',
    );
    expect(
      (await send('drop', { source: 'main', reason: 'a test chat', back: '/parked' }, id)).headers.get('location'),
    ).toBe('/parked?did=dropped');
    expect((await ledger.read('main', id))?.stopped).toMatchObject({
      state: 'dropped',
      reason: 'No call id.',
      dropped: { reason: 'a test chat', by: 'ada' },
    });
    expect((await operations.list('parked')).some(({ call_id }) => call_id === id)).toBe(false);
  });

  it('cuts a reason that is too long', async () => {
    await send('drop', { ...target, reason: 'x'.repeat(5_000) });
    expect((await dashboard.delivery(callId)).dropped?.reason).toHaveLength(300);
  });
});

it('what a reader follows changes nothing', async () => {
  for (const action of ['replay', 'drop']) {
    const answer = await dashboard.get(`/calls/${callId}/${action}?source=main&route=sales-calls&reason=x`, {
      authorization: `Basic ${Buffer.from('ada:x').toString('base64')}`,
    });
    expect(answer.status).toBe(404);
  }
  expect((await dashboard.delivery(callId)).state).toBe('parked');
});

describe('all that a filter names', () => {
  const authorization = `Basic ${Buffer.from('ada:x').toString('base64')}`;
  const press = (path: string, fields: Record<string, string>) =>
    dashboard.post(path, fields, { origin: dashboard.url, authorization });
  const unusual = (code: string) => parked({ code, reason: `It said ${code}.` });

  it('is listed, and replayed with the attempts of each route', async () => {
    const ids = [await dashboard.seed(unusual('odd_one')), await dashboard.seed(unusual('odd_one'))];
    const text = await (await dashboard.get('/parked?reason=odd_one&since=1h', { authorization })).text();
    expect(text).toContain('<b>2 deliveries</b> match');
    expect(text).not.toContain(callId);
    const seen = /seen=(\d+)/.exec(text)?.[1] ?? '';
    const answer = await press('/parked/replay', { reason: 'odd_one', since: '1h', seen });
    const place = answer.headers.get('location') ?? '';
    expect(place).toMatch(/^\/parked\?reason=odd_one&since=1h&did=replayed_many&run=\w+$/);
    expect(await (await dashboard.get(place, { authorization })).text()).toContain('2 of 2 queued again.');
    for (const id of ids) expect(await dashboard.delivery(id)).toMatchObject({ state: 'queued', replays: 1 });
    const jobs = await dashboard.store.queues.deliveries('sales').getJobs(['waiting', 'prioritized']);
    const job = jobs.find(({ data }) => data.call_id === ids[0]);
    expect(job).toMatchObject({ opts: { attempts: 7 }, data: { config: configOf().hash } });
    expect((await dashboard.delivery(callId)).state).toBe('parked');
    expect(lastLine()).toMatchObject({ action: 'replay parked', user: 'ada', done: 2, filter: { reason: 'odd_one' } });
  });

  it('says how many have no payload left, and leaves them', async () => {
    const id = await dashboard.seed(unusual('odd_two'));
    await dashboard.seed(unusual('odd_two'));
    const [revision] = (await dashboard.store.ledger.read('main', id))?.revisions ?? [];
    await dashboard.store.payloads.remove('main', id, [revision?.hash ?? '']);
    const { headers } = await press('/parked/replay', { reason: 'odd_two', seen: String(Date.now()) });
    const page = await dashboard.get(headers.get('location') ?? '', { authorization });
    expect(await page.text()).toContain('1 of 2 queued again; 1 have no payload left');
    expect((await dashboard.delivery(id)).state).toBe('parked');
  });

  it('is dropped with a reason, and not without', async () => {
    const id = await dashboard.seed(unusual('odd_three'));
    const fields = { reason: 'odd_three', seen: String(Date.now()) };
    expect((await press('/parked/drop', fields)).headers.get('location')).toContain('did=reason');
    expect((await dashboard.delivery(id)).state).toBe('parked');
    const why = 'test calls of +1 415 555 0132';
    const place = (await press('/parked/drop', { ...fields, why })).headers.get('location') ?? '';
    expect(await (await dashboard.get(place, { authorization })).text()).toContain('1 of 1 dropped.');
    expect(await dashboard.delivery(id)).toMatchObject({
      state: 'dropped',
      dropped: { reason: 'test calls of [number]', by: 'ada' },
    });
  });

  it('is nothing when the page does not say what was seen', async () => {
    const id = await dashboard.seed(unusual('odd_four'));
    for (const seen of ['', '-1', 'x']) {
      const { headers } = await press('/parked/replay', { reason: 'odd_four', seen });
      const page = await dashboard.get(headers.get('location') ?? '', { authorization });
      expect(await page.text()).toContain('0 of 0 queued again.');
    }
    expect((await dashboard.delivery(id)).state).toBe('parked');
  });
});
