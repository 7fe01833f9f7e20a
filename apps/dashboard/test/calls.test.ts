import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

let dashboard: Harness;
beforeAll(async () => {
  dashboard = await startDashboard();
});
afterAll(() => dashboard.close());

const page = async (path: string) => {
  const answer = await dashboard.get(path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  return answer.text();
};
const written = (id: string, url?: string) => ({
  route: 'sales-calls',
  connection: 'sales',
  change: {
    state: 'written' as const,
    requests: 2.5,
    notes: ['dropped a field that the account refused'],
    records: [{ name: 'call_log', object: 'calls', id, did: 'created' as const, ...(url ? { url } : {}) }],
  },
});

describe('the list of calls', () => {
  it('finds results and reasons as the pages show them, too', async () => {
    const [stopped] = parked().deliveries ?? [];
    if (!stopped) throw new Error('it has a delivery');
    const id = await dashboard.seed({
      deliveries: [{ ...stopped, change: { ...stopped.change, result: 'not_interested' } }],
    });
    for (const query of ['result=not_interested', 'result=Not+interested', 'code=ambiguous+person'])
      expect([query, (await page(`/calls?${query}`)).includes(id)]).toEqual([query, true]);
    expect(await page('/calls?result=interested')).not.toContain(id);
  });

  it('names an agent as its own source does, where two sources know it by two names', async () => {
    const { sources } = configOf();
    const { main, other } = sources;
    if (!main || !other) throw new Error('the configuration has two sources');
    const named = {
      main: { ...main, agents: { a1: { name: 'Alice' } } },
      other: { ...other, agents: { a1: { name: 'Nora' } } },
    };
    const own = await startDashboard({ config: () => configOf({ sources: named }) });
    try {
      for (const source of ['main', 'other']) await own.seed({ source, agent_id: 'a1', deliveries: [written('11')] });
      const text = await (await own.get('/calls')).text();
      const rows = [...text.matchAll(/data-of="(\w+):.*?facts-line">(\w+)/gs)].map(([, of, name]) => `${of} ${name}`);
      expect(rows.toSorted()).toEqual(['main Alice', 'other Nora']);
      expect(text).toContain('<option value="a1">Alice, Nora</option>');
    } finally {
      await own.close();
    }
  });

  it('shows newest first: time, source, outcome, deliveries, records', async () => {
    const older = await dashboard.seed({ received_at: Date.now() - 60_000, deliveries: [written('11')] });
    const newer = await dashboard.seed({
      outcome: 'voicemail',
      deliveries: [written('12', 'https://crm.example/calls/12')],
    });
    const text = await page('/calls');
    expect(text.indexOf(newer)).toBeGreaterThan(0);
    expect(text.indexOf(newer)).toBeLessThan(text.indexOf(older));
    expect(text).toContain('sales-calls: written');
    expect(text).toMatch(
      /<a class="record" href="https:\/\/crm.example\/calls\/12" rel="noopener noreferrer"[^>]*>Call</,
    );
    expect(text).toContain('<td>voicemail</td>');
  });

  it('filters by state, outcome, route, connection, source and part of an id', async () => {
    const ids = {
      parked: await dashboard.seed(parked()),
      busy: await dashboard.seed({ outcome: 'busy', deliveries: [written('13')] }),
      alert: await dashboard.seed({ deliveries: [{ route: 'alerts', connection: 'alerts' }] }),
      other: await dashboard.seed({ source: 'other' }),
      unrouted: await dashboard.seed({ deliveries: [] }),
      rare: await dashboard.seed({ call_id: 'rare-call-0001', deliveries: [] }),
    };
    const shown = async (query: string) => {
      const text = await page(`/calls?${query}`);
      return Object.entries(ids)
        .filter(([, id]) => text.includes(id))
        .map(([name]) => name);
    };
    expect(await shown('state=parked')).toEqual(['parked']);
    expect(await shown('outcome=busy')).toEqual(['busy']);
    expect(await shown('route=alerts')).toEqual(['alert']);
    expect(await shown('connection=alerts')).toEqual(['alert']);
    expect(await shown('connection=alerts&state=written')).toEqual([]);
    expect(await shown('source=other')).toEqual(['other']);
    expect(await shown('state=received')).toEqual(['other']);
    expect(await shown('state=unrouted')).toEqual(['unrouted', 'rare']);
    expect(await shown('id=are-call')).toEqual(['rare']);
    expect(await shown('id=no-such-id')).toEqual([]);
  });

  it('leads straight to a call whose id was given whole', async () => {
    const id = await dashboard.seed(parked());
    const answer = await dashboard.get(`/calls?id=%20${id}%20`);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`/calls/${id}?source=main`);
  });

  it('pages through all calls, each once, also when many came in one millisecond', async () => {
    const own = await startDashboard();
    try {
      const at = Date.now() - 1000;
      const seeded = new Set<string>();
      for (let index = 0; index < 120; index += 1) {
        seeded.add(await own.seed({ received_at: index < 70 ? at : at + index, deliveries: [] }));
      }
      const found: string[] = [];
      let path: string | undefined = '/calls';
      for (let turn = 0; path && turn < 10; turn += 1) {
        const text: string = await (await own.get(path)).text();
        found.push(...[...text.matchAll(/class="id" href="\/calls\/([^?]+)\?/g)].map(([, id]) => id as string));
        path = /href="([^"]+)">Older</.exec(text)?.[1]?.replaceAll('&amp;', '&');
      }
      expect(found).toHaveLength(120);
      expect(new Set(found)).toEqual(seeded);
    } finally {
      await own.close();
    }
  });

  it('are found in an earlier time without reading the counts of every hour of many clients', async () => {
    const own = await startDashboard();
    try {
      const day = (ago: number) => new Date(Date.now() - ago * 86_400_000);
      const seeded = new Set<string>();
      for (let n = 0; n < 12; n += 1)
        seeded.add(await own.seed({ source: `c${n}.main`, received_at: day(10).getTime(), deliveries: [] }));
      await own.seed({ source: 'c1.main', received_at: day(1).getTime(), deliveries: [] });
      const hashesRead = async () =>
        Number(/cmdstat_hgetall:calls=(\d+)/.exec(await own.store.redis.info('commandstats'))?.[1] ?? 0);
      const before = await hashesRead();
      const days = new URLSearchParams({
        from: day(30).toISOString().slice(0, 10),
        to: day(3).toISOString().slice(0, 10),
      });
      const text = await (await own.get(`/calls?${days}`)).text();
      const found = [...text.matchAll(/class="id" href="\/calls\/([^?]+)\?/g)].map(([, id]) => id as string);
      expect(new Set(found)).toEqual(seeded);
      expect((await hashesRead()) - before).toBeLessThan(1_000);
    } finally {
      await own.close();
    }
  });

  it('survives queries that no page sends', async () => {
    for (const query of [
      'after=x',
      'after=99999999999999999999-1',
      'state=__proto__',
      'state[]=a',
      'id=%00',
      'source=<b>',
      'from=yesterday&to=2026-99-99T10:00',
      'line=__proto__',
    ]) {
      expect((await dashboard.get(`/calls?${query}`)).status).toBe(200);
    }
  });
});

describe('one call', () => {
  it('is explained: how it came, how verified, revisions, deliveries, what to press', async () => {
    const id = await dashboard.seed({ ...parked(), notes: ['call.start_time: no offset, taken as UTC'] });
    const text = await page(`/calls/${id}?source=main`);
    for (const words of [
      'by webhook',
      'signature verified',
      'applied: it is what the call began with',
      'call.start_time: no offset, taken as UTC',
      'ambiguous person',
      'Two contacts match.',
      'Merge them.',
      'Waits for a person. Fix what the reason names, then press Replay; or Drop it.',
      'a1b2c3d4e5f6',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).toContain(`action="/calls/${id}/replay"`);
    expect(text).toContain(`action="/calls/${id}/drop"`);
  });

  it('that was written shows its records, requests and notes, and a button to replay it', async () => {
    const id = await dashboard.seed({ deliveries: [written('14', 'https://crm.example/calls/14')] });
    const text = await page(`/calls/${id}`);
    expect(text).toContain('https://crm.example/calls/14');
    expect(text).toContain('<dd>2.5</dd>');
    expect(text).toContain('dropped a field that the account refused');
    const actions = [...text.matchAll(/<form[^>]*action="([^"]+)"/g)].map(([, action]) => action);
    expect(actions).toEqual([
      ...['transcript', 'replay', 'preview'].map((action) => `/calls/${id}/${action}`),
      '/playground/call',
    ]);
  });

  it('that waits for a person names what it left in the CRM, each record once', async () => {
    const records = [{ name: 'call_log', object: 'calls', id: '17', did: 'created' as const }];
    const [delivery] = parked({ records, done: { call_log: '17' } }).deliveries ?? [];
    const text = await page(`/calls/${await dashboard.seed({ deliveries: delivery ? [delivery] : [] })}`);
    expect(text.match(/call_log: /g)).toHaveLength(1);
    expect(text).not.toContain('unfinished attempt');
  });

  it('whose payload is gone offers no replay and says why', async () => {
    const id = await dashboard.seed(parked());
    const [revision] = (await dashboard.store.ledger.read('main', id))?.revisions ?? [];
    await dashboard.store.redis.del(dashboard.store.keys.payload('main', id, revision?.hash ?? ''));
    const text = await page(`/calls/${id}`);
    expect(text).toContain('The payload is gone');
    expect(text).not.toContain('/replay"');
    expect(text).toContain('/drop"');
  });

  it('with an id that two sources have is asked for by source', async () => {
    await dashboard.seed({ call_id: 'twice', source: 'main' });
    await dashboard.seed({ call_id: 'twice', source: 'other' });
    expect(await page('/calls/twice')).toContain('Which call?');
    expect(await page('/calls/twice?source=other')).toContain('Call <span class="id">twice</span>');
  });

  it('of a source that is not configured any more is still shown', async () => {
    await dashboard.seed({ call_id: 'orphan', source: 'retired' });
    expect(await page('/calls/orphan?source=retired')).toContain('not in wrapup.yaml any more');
    expect((await dashboard.get('/calls/orphan')).status).toBe(404);
  });

  it('whose id is not fit for an address is reached all the same', async () => {
    const call_id = 'a/b?c#d%e:f "g"';
    await dashboard.seed({ call_id, deliveries: [] });
    const [, href] = /href="(\/calls\/a[^"]+)"/.exec(await page('/calls?state=unrouted')) ?? [];
    expect(await page(href ?? '')).toContain('a/b?c#d%e:f &quot;g&quot;');
  });

  it('that is unknown is 404', async () => {
    expect((await dashboard.get('/calls/nobody')).status).toBe(404);
  });
});

it('parked and dead list reason, hint, attempts and buttons', async () => {
  const own = await startDashboard({ config: () => configOf() });
  try {
    const waits = await own.seed(parked());
    const gone = await own.seed(parked({ state: 'dead', code: 'unavailable', reason: 'It answered 503.' }));
    const parkedPage = await (await own.get('/parked')).text();
    expect(parkedPage).toContain(waits);
    expect(parkedPage).not.toContain(gone);
    expect(parkedPage).toContain('Merge them.');
    expect(parkedPage).toContain(`action="/calls/${waits}/replay"`);
    const deadPage = await (await own.get('/dead')).text();
    expect(deadPage).toContain(gone);
    expect(deadPage).toContain('It answered 503.');
    expect(deadPage).not.toContain(waits);
  } finally {
    await own.close();
  }
});

describe('text from outside', () => {
  const evil = `<script>alert(1)</script><img src=x onerror="alert(1)">' onmouseover='x`;
  it('is shown as text, wherever it stands', async () => {
    const id = await dashboard.seed({
      call_id: `${evil}-${Date.now()}`,
      outcome: evil,
      notes: [evil],
      deliveries: [
        {
          route: evil,
          connection: evil,
          change: {
            state: 'parked',
            code: evil,
            reason: evil,
            hint: evil,
            correlation_id: evil,
            notes: [evil],
            done: { [evil]: `another ${evil}` },
            records: [{ name: evil, object: evil, id: evil, did: evil as never, url: `https://x.example/${evil}` }],
          },
        },
      ],
    });
    for (const path of [
      '/',
      '/calls',
      '/parked',
      `/calls/${encodeURIComponent(id)}?source=main`,
      `/calls?outcome=${encodeURIComponent(evil)}&route=${encodeURIComponent(evil)}`,
      `/calls?state=parked&id=${encodeURIComponent(evil)}`,
      `/parked?did=${encodeURIComponent(evil)}`,
    ]) {
      const text = await page(path);
      expect(text).not.toMatch(/<script(?! src="\/assets\/(?:zone|worklist|live)\.js\?v=[\w-]+")|<img/);
      expect(text).not.toMatch(/' onmouseover=|onerror="/);
    }
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    '//evil.example',
    '/calls/x',
    ' javascript:alert(1)',
  ])('a record’s address %s is no link', async (url) => {
    const id = await dashboard.seed({ deliveries: [written('15', url)] });
    const text = await page(`/calls/${id}`);
    expect(text).toMatch(/<span class="record" title="15, [^>]*>Call</);
    expect(text).not.toMatch(/<a[^>]*>Call</);
  });
});
