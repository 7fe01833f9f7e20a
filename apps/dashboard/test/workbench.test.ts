import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/support/redis.ts';
import { makeArrival } from '../../../test/support/store.ts';
import { type ConfigFolder, MAPPING_FILE, makeConfigFolder } from './support/config-folder.ts';
import { type Harness, parked, startDashboard } from './support/harness.ts';

const MAPPING = `extends: hubspot/call-log
person:
  fields:
    city: vars.city
    jobtitle: vars.topic
`;
const BESIDE = `mapping: hubspot.yaml
tests:
  - name: who wants nothing gets no task
    given: connected
    vars: { wants_callback: false }
    expect: created
`;

let files: ConfigFolder;
let dashboard: Harness;
beforeAll(async () => {
  files = await makeConfigFolder(undefined, { [MAPPING_FILE]: MAPPING, 'mappings/hubspot.test.yaml': BESIDE });
  dashboard = await startDashboard({ config: files.config });
});
afterAll(async () => {
  await dashboard.close();
  files.remove();
});

const tryOut = async (payload: string, fields: Record<string, string> = {}) => {
  const answer = await dashboard.post('/playground', { payload, source: 'main', ...fields });
  return { status: answer.status, text: (await answer.text()).replace(/\s+/g, ' '), headers: answer.headers };
};

describe('the workbench', () => {
  it('opens with a sample and the mapping in force, and the plan of both', async () => {
    const answer = await dashboard.get('/playground');
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toMatch(/<textarea name="payload"[^>]*>\ngiven: connected\n<\/textarea>/);
    expect(text).toContain(`\n${MAPPING}</textarea>`);
    expect(text).toMatch(/no difference in the plan.*<code>jobtitle<\/code>.*upgrade/s);
    expect(text).toContain('<b>created</b>, as no person is found');
    expect(answer.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
    expect(answer.headers.get('content-security-policy')).not.toMatch(/unsafe|nonce/);
  });

  it('has the tests beside the mapping and those of presets as samples', async () => {
    const text = await (await dashboard.get('/playground?sample=tests/hubspot.test.yaml/1')).text();
    expect(text).toContain('<optgroup label="Tests beside mappings/hubspot.yaml">');
    expect(text).toContain('<optgroup label="Tests of hubspot/lead-qualification">');
    expect(text).toMatch(/given: connected\nvars: \{ wants_callback: false \}\n<\/textarea>/);
    expect(text).not.toContain('<h4>call-back');
    // A name of nothing is the first sample.
    const other = await (await dashboard.get('/playground?sample=tests/..%2f..%2fwrapup.yaml/1')).text();
    expect(other).toContain('\ngiven: connected\n</textarea>');
  });

  it('shows how a payload is read, which routes it takes, and its plan', async () => {
    const { status, text } = await tryOut(JSON.stringify(samplePayload('connected')));
    expect(status).toBe(200);
    expect(text).toContain('<dt>Routes it takes</dt><dd>sales-calls</dd>');
    expect(text).toContain('phone +14155550142');
    expect(text).toContain('vars.city is not in the call');
    expect(text).toContain('mappings/hubspot.yaml:4');
  });

  it('shows what a change of the mapping changes in the plan, and nothing else as different', async () => {
    const mapping = `${MAPPING.replace('vars.topic', 'vars.budget').replace('    city: vars.city\n', '')}    website: { value: example.com }\n`;
    const { text } = await tryOut('given: connected', { mapping });
    expect(text).toContain('2 differences in the plan');
    expect(text).toMatch(
      /<tr class="difference changed"><td><code>jobtitle<\/code> <span class="chip queued">changed<\/span><\/td> <td class="value">upgrade<\/td><td class="value">12000<\/td>/,
    );
    expect(text).toMatch(/<tr class="difference new"><td><code>website<\/code>/);
    expect(text.match(/<tr class="difference /g)).toHaveLength(2);
  });

  it('names findings with their lines, and still shows what is in force of the call', async () => {
    const { status, text } = await tryOut('given: connected', {
      mapping: 'extends: hubspot/call-log\nperson:\n  fields:\n    city: vars\n    x: lead.nmae\n',
    });
    expect(status).toBe(200);
    expect(text).toMatch(
      /<li class="error" data-line="5" data-column="\d+" data-code="unknown-path">.*line 5.*lead\.nmae.*<pre> x: lead\.nmae<\/pre>/,
    );
    expect(text).toContain('<dt>Routes it takes</dt><dd>sales-calls</dd>');
    expect(text).toMatch(/By the mapping in force<\/h3> <p class="next">The mapping as edited has errors.*upgrade/);
    expect(text).not.toContain('class="difference ');
    const asked = await tryOut('given: connected', { mapping: 'x: 1', do: 'ask' });
    expect([asked.status, asked.text]).toEqual([422, expect.stringContaining('once they are gone')]);
  });

  it('shows rich text as people read it in the CRM, as text', async () => {
    const payload = samplePayload('connected', { transcript: 'bot: <b>Hello</b> & welcome\nhuman: Hi' });
    const { text } = await tryOut(JSON.stringify(payload));
    const [, body = ''] = /<code>hs_call_body<\/code><\/td>(.*?)<\/tr>/.exec(text) ?? [];
    expect(body).toContain('Outcome: Connected Duration: 2 min 14 s');
    expect(body).toContain('&lt;b&gt;Hello&lt;/b&gt; &amp; welcome');
    expect(body).not.toMatch(/&lt;(?:br|p|strong)|<b>Hello/);
  });

  it('tells what the call does not say from what the mapping does not want, and from what cannot be read', async () => {
    const mapping = `${MAPPING}    website: { value: example.com, when: { path: call.outcome, equals: busy } }
    hs_lead_status: { from: call.outcome, map: { connected: null }, default: OPEN }
    budget: { from: vars.topic, transform: [number] }
`;
    const { text } = await tryOut('given: connected', { mapping });
    const groups = [...text.matchAll(/<th scope="rowgroup" colspan="3">([^<]*)<\/th><\/tr>(.*?)<\/tbody>/g)];
    const found = groups.map(([, title, rows = '']) => [
      title,
      [...rows.matchAll(/<code>(.*?)<\/code>/g)].map(([, name]) => name),
    ]);
    expect(found).toEqual([
      ['The call says it, and nothing can be made of it', ['person.budget']],
      [
        'The mapping does not want it of this call',
        expect.arrayContaining(['person.website', 'person.hs_lead_status']),
      ],
      ['The call does not say it', expect.arrayContaining(['person.city'])],
    ]);
  });

  it('knows what is edited: another text of the mapping, or of the call, than those it offers', async () => {
    const isEdited = async (payload: string, mapping: string) =>
      (await tryOut(payload, { mapping })).text.includes(' data-edited');
    expect(await isEdited('given: voicemail\n', MAPPING)).toBe(false);
    expect(await isEdited('given: voicemail\nvars: { x: 1 }\n', MAPPING)).toBe(true);
    expect(await isEdited('given: voicemail\n', `${MAPPING}# x\n`)).toBe(true);
    expect(await (await dashboard.get('/playground')).text()).not.toContain(' data-edited');
  });

  it('takes line ends as browsers send them for those of a file', async () => {
    const { text } = await tryOut('given: connected', { mapping: MAPPING.replaceAll('\n', '\r\n') });
    expect(text).toContain('no difference in the plan');
    const file = await tryOut('given: connected', { mapping: MAPPING.replaceAll('\n', '\r\n'), do: 'mapping-file' });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename=hubspot.yaml');
    expect(file.text).toBe(MAPPING.replace(/\s+/g, ' '));
  });

  it('answers a script with the result alone', async () => {
    const { text, headers } = await tryOut('given: voicemail', { part: 'result' });
    expect(headers.get('x-part')).toBe('result');
    expect(text).not.toMatch(/<html|<textarea/);
    expect(text).toMatch(/^<p class="said" role="status">no difference in the plan<\/p>/);
  });

  it('gives the schema of the kind, or the one that was pulled for the connection', async () => {
    const made = (await (await dashboard.get('/playground/schema?route=sales-calls')).json()) as { title: string };
    expect(made.title).toBe('Wrapup mapping for hubspot');
    files.write('schema/sales.schema.json', '{ "title": "of the account" }');
    expect(await (await dashboard.get('/playground/schema?route=sales-calls')).json()).toEqual({
      title: 'of the account',
    });
    expect((await dashboard.get('/playground/schema?route=nowhere')).status).toBe(404);
  });

  it('keeps nothing: not in Redis, not in the log', async () => {
    const before = await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`);
    const payload = samplePayload('connected', { name: 'Zebulon Quist', phone: '+14155550177' });
    await tryOut(JSON.stringify(payload), { do: 'test' });
    expect(await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`)).toEqual(before);
    expect(dashboard.logged()).not.toMatch(/Zebulon|4155550177/);
  });

  it('shows what was pasted as text, in the fields and in the plan', async () => {
    const evil = '</textarea><script>alert(1)</script>';
    const payload = JSON.stringify(samplePayload('connected', { name: evil, collected: { [evil]: evil } }));
    const { text } = await tryOut(payload, { mapping: `${MAPPING}# ${evil}\n`, do: 'test', test_name: evil });
    expect(text).not.toContain('<script>');
    expect(text.match(/<\/textarea>/g)).toHaveLength(3);
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['no call id', '{"call":{}}', 'no call id'],
    ['not an object', '[]', 'no call id'],
    ['nothing', '', 'there is no call'],
    ['a file', 'given: /etc/hostname', 'No file is read here'],
  ])('says what is wrong with %s', async (_what, payload, words) => {
    const { status, text } = await tryOut(payload);
    expect(status).toBe(422);
    expect(text).toContain(words);
  });

  it('says so when source or route do not exist', async () => {
    expect((await tryOut('given: connected', { source: '__proto__' })).text).toContain('Choose a source');
    expect((await tryOut('given: connected', { route: 'nowhere' })).text).toContain('no such route');
  });

  it('refuses what is too large', async () => {
    expect((await tryOut('x'.repeat(6 * 1024 * 1024))).status).toBe(413);
    expect((await tryOut('given: connected', { mapping: `${MAPPING}#${'x'.repeat(200_000)}` })).text).toContain(
      'more than 200000 bytes',
    );
  });

  it('says so when no route matches', async () => {
    const config = { ...files.config(), routes: [] };
    const own = await startDashboard({ config: () => config });
    try {
      const payload = JSON.stringify(samplePayload('connected'));
      expect(await (await own.post('/playground', { payload, source: 'main' })).text()).toContain('none matches');
    } finally {
      await own.close();
    }
  });

  it('reads no file of the installation that is no mapping, whatever a mapping extends', async () => {
    files.write('users.yaml', 'kim: { role: admin, password: x }\n');
    for (const path of ['wrapup.yaml', 'users.yaml', '../wrapup.yaml', '/etc/passwd']) {
      const { text } = await tryOut('given: connected', {
        mapping: `extends: ${path}.yaml\n`.replace('.yaml.yaml', '.yaml'),
      });
      expect([path, /kim|a3f1c09e|pat-na1|root:/.exec(text)?.[0]]).toEqual([path, undefined]);
      expect(text).toMatch(/cannot read|not inside the config folder|there is no preset/);
    }
  });

  it('stops a mapping that takes too long, and goes on with the next', async () => {
    const own = await startDashboard({ config: files.config, evaluation: { within: 1 } });
    try {
      const answer = await own.post('/playground', { payload: 'given: connected', source: 'main' });
      expect([answer.status, await answer.text()]).toEqual([
        422,
        expect.stringContaining('it took too much for this call: more than 1 ms'),
      ]);
    } finally {
      await own.close();
    }
    expect((await tryOut('given: connected')).status).toBe(200);
  });

  it('answers 503 while Redis does not answer, where it needs it', async () => {
    const redis = await startRedis({ appendonly: false });
    const own = await startDashboard({ redis: redis.url, config: files.config });
    try {
      await redis.stop();
      const plan = await own.post('/playground', { payload: 'given: connected', source: 'main' });
      expect(plan.status).toBe(200);
      const asked = await own.post('/playground', { payload: 'given: connected', source: 'main', do: 'ask' });
      expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '2']);
      const stored = await own.post('/playground/call', { call_id: 'x', source: 'main' });
      expect(stored.status).toBe(503);
    } finally {
      await own.close();
    }
  });
});

describe('a call of the ledger', () => {
  const SAID = { name: 'Zebulon Quist', phone: '+14155550177', collected: { topic: 'my sister Mabel' } };

  async function stored(): Promise<string> {
    const payload = samplePayload('connected', { call_id: `stored-${Math.random().toString(36).slice(2)}`, ...SAID });
    const { call_id } = payload.call as { call_id: string };
    await dashboard.store.accept(makeArrival(call_id, Buffer.from(JSON.stringify(payload))), 90);
    return call_id;
  }

  it('is opened from its page, with one entry of the audit for a sitting', async () => {
    const call_id = await dashboard.seed(parked());
    const page = await (await dashboard.get(`/calls/${call_id}?source=main`)).text();
    expect(page).toMatch(/<form class="look" method="post" action="\/playground\/call">.*Open in the workbench/s);
    expect(await (await dashboard.get('/parked')).text()).toContain('action="/playground/call"');
    const id = await stored();
    for (const mapping of [MAPPING, `${MAPPING}# one more\n`]) {
      const answer = await dashboard.post('/playground/call', {
        source: 'main',
        call_id: id,
        route: 'sales-calls',
        mapping,
      });
      const text = await answer.text();
      expect(answer.status).toBe(200);
      expect(text).toContain('my sister Mabel');
      expect(text).toContain('It is a real call');
    }
    const { entries } = await dashboard.store.audit.page({ call_id: id });
    expect(entries).toMatchObject([{ action: 'read payload', source: 'main', call_id: id }]);
    expect(dashboard.logged()).not.toMatch(/Zebulon|Mabel|4155550177/);
  });

  it('becomes a test without what says whom it was about', async () => {
    const id = await stored();
    const fields = { source: 'main', call_id: id, route: 'sales-calls', do: 'test', test_name: 'A seat, or two' };
    const text = await (await dashboard.post('/playground/call', fields)).text();
    const test = /id="test">\n(.*?)<\/textarea>/s.exec(text)?.[1] ?? '';
    expect(text).toContain('mappings/hubspot-a-seat-or-two.test.yaml');
    expect(text).toContain('Names, numbers, addresses and texts of the call are replaced');
    expect(test).toContain('A seat, or two');
    expect(test).not.toMatch(/Zebulon|Quist|Mabel|0177/);
    const file = await dashboard.post('/playground/call', { ...fields, do: 'test-file' });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename=hubspot-a-seat-or-two.test.yaml');
    expect(await file.text()).not.toMatch(/Zebulon|Quist|Mabel|0177/);
  });

  it('is one that there is, with a payload that is there', async () => {
    const post = (call_id: string, source = 'main') => dashboard.post('/playground/call', { source, call_id });
    expect((await post('nothing')).status).toBe(404);
    const id = await stored();
    expect((await post(id, 'other')).status).toBe(404);
    const [name = ''] = await dashboard.store.redis.keys(`*payload:main:${id}:*`);
    await dashboard.store.redis.del(name);
    expect((await post(id)).status).toBe(410);
  });

  it('is asked for by its id, which a link can bring along', async () => {
    const text = await (await dashboard.get('/playground?call=c-1&source=main')).text();
    expect(text).toMatch(/<details open>.*<input name="call_id" required value="c-1"/s);
  });
});
