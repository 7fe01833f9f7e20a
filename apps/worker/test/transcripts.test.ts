/** A call's transcript on the whole way: an app whose tokens rotate, an answer that is lost, a replay. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, until } from './support/engine.ts';

const ROUTES = `
connections:
  sales: { kind: hubspot, client_id: sandbox-client, client_secret: sandbox-secret, refresh_token: sandbox-refresh, base_url: "\${HUBSPOT_BASE_URL}" }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { base: 10ms } }
`;

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({
    routes: ROUTES,
    mapping: 'extends: hubspot/call-log\ncall_log: { transcript: estimated }\n',
  });
  engine.sandbox.control.settings({ hubspot: { search_lag: 0, oauth: { rotate: true } } });
  await engine.startWorker();
});
afterAll(() => engine.close());

const written = (call_id: string, replays = 0) =>
  until(async () => {
    const delivery = await engine.delivery(call_id);
    return delivery?.state === 'written' && delivery.replays === replays;
  });
const transcripts = () => engine.sandbox.records('calls').map((call) => call.transcripts?.length ?? 0);
const posts = () => engine.sandbox.control.requests().by_operation['transcript create'] ?? 0;

test('the ledger names it, a lost answer makes no second one, and neither does a replay', async () => {
  engine.sandbox.control.fault({ kind: 'commit_then_reset', path: '/transcripts$' });
  const { call_id } = await engine.arrive();
  await written(call_id);
  const [call] = engine.sandbox.records('calls');
  const delivery = await engine.delivery(call_id);
  expect(delivery).toMatchObject({ attempts: 2 });
  expect(delivery?.records.find(({ name }) => name === 'call_log.transcript')).toMatchObject({
    object: 'transcripts',
    id: call?.properties.hs_call_transcription_id,
  });
  expect([transcripts(), posts()]).toEqual([[1], 1]);

  await engine.store.operations.replay('main', call_id, 'sales-calls', { attempts: 10, from: ['written'] });
  await written(call_id, 1);
  expect([transcripts(), posts()]).toEqual([[1], 1]);
});
