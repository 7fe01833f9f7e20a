import type { Call } from '@wrapup/call';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, type Harness, startDashboard } from './support/harness.ts';

const at = { file: 'mappings/hubspot.yaml', line: 12, column: 5 };

/** A mapping of three fields, by hand. */
function planOf(call: Call, route: string): Plan {
  const write = (name: string, value: string) => ({ name, value, write: 'overwrite' as const, at });
  const plan: Plan = {
    key: `${call.source}:${call.id}`,
    route,
    mapping: { name: 'mappings/hubspot.yaml', hash: 'abc' },
    call,
    ended_at: call.ended_at ?? '',
    person: {
      match: call.lead.phone ? [{ by: 'phone', value: call.lead.phone }] : [],
      unmatched: 'create',
      ambiguous: 'park',
      key: call.lead.phone ? 'person:1' : null,
      create_as: 'contact',
      fields: call.lead.first_name ? [write('firstname', call.lead.first_name)] : [],
      fallback: { name: 'Caller' },
    },
    records: [
      {
        type: 'call_log',
        object: 'calls',
        name: 'call_log',
        key: `${call.source}:${call.id}`,
        fields: [write('hs_call_title', `Call: ${call.outcome}`)],
        associate: ['person'],
      },
    ],
    left_out: [{ field: 'person.budget', reason: 'vars.budget is absent', at }],
    needs: [],
    settle: () => plan,
  };
  return plan;
}
const mapping: CompiledMapping = {
  name: 'mappings/hubspot.yaml',
  kind: 'hubspot',
  hash: 'abc',
  fields: [],
  records: [],
  plan: planOf,
};

let dashboard: Harness;
beforeAll(async () => {
  const config = configOf();
  const routes = config.routes.map((route) => ({ ...route, mapping, when: () => route.name === 'sales-calls' }));
  dashboard = await startDashboard({ config: () => ({ ...config, routes }) });
});
afterAll(() => dashboard.close());

const tryOut = async (payload: string, fields: Record<string, string> = {}) => {
  const answer = await dashboard.post('/playground', { payload, source: 'main', ...fields });
  return { status: answer.status, text: await answer.text() };
};

describe('the playground', () => {
  it('shows how a payload is read, which routes it takes, and the plan of the first', async () => {
    const payload = JSON.stringify(samplePayload('connected'));
    const { status, text } = await tryOut(payload);
    expect(status).toBe(200);
    expect(text).toContain('<dt>Routes it takes</dt><dd>sales-calls</dd>');
    expect(text).toContain('Call: connected');
    expect(text).toContain('<code>hs_call_title</code>');
    expect(text).toContain('Looked for by phone +1');
    expect(text).toContain('vars.budget is absent');
    expect(text).toContain('mappings/hubspot.yaml:12');
  });

  it('shows the plan of another route when it is asked for', async () => {
    const { text } = await tryOut(JSON.stringify(samplePayload('voicemail')), { route: 'alerts' });
    expect(text).toContain('of route alerts to alerts');
  });

  it('keeps nothing: not in Redis, not in the log', async () => {
    const before = await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`);
    const payload = samplePayload('connected', { name: 'Zebulon Quist', phone: '+14155550177' });
    await tryOut(JSON.stringify(payload));
    expect(await dashboard.store.redis.keys(`${dashboard.store.keys.prefix}*`)).toEqual(before);
    expect(dashboard.logged()).not.toMatch(/Zebulon|4155550177/);
  });

  it('shows what was pasted as text, in the box and in the plan', async () => {
    const evil = '</textarea><script>alert(1)</script>';
    const { text } = await tryOut(
      JSON.stringify(samplePayload('connected', { name: evil, collected: { [evil]: evil } })),
    );
    expect(text).not.toContain('<script>');
    expect(text.match(/<\/textarea>/g)).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['no call id', '{"call":{}}', 'no call id'],
    ['not an object', '[]', 'no call id'],
    ['nothing', '', 'Paste a payload first'],
  ])('says what is wrong with %s', async (_what, payload, words) => {
    const { status, text } = await tryOut(payload);
    expect(status).toBe(422);
    expect(text).toContain(words);
  });

  it('says so when source or route do not exist', async () => {
    const payload = JSON.stringify(samplePayload('connected'));
    expect((await tryOut(payload, { source: '__proto__' })).text).toContain('Choose a source');
    expect((await tryOut(payload, { route: 'nowhere' })).text).toContain('no such route');
  });

  it('refuses what is too large', async () => {
    expect((await tryOut('x'.repeat(6 * 1024 * 1024))).status).toBe(413);
  });

  it('says so when no route matches', async () => {
    const config = configOf();
    const own = await startDashboard({ config: () => ({ ...config, routes: [] }) });
    try {
      const payload = JSON.stringify(samplePayload('connected'));
      expect(await (await own.post('/playground', { payload })).text()).toContain('none matches');
    } finally {
      await own.close();
    }
  });
});
