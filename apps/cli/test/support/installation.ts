/** An installation on the shared Redis, with calls in the states that an operator meets, and a wrapup.yaml for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeliveryChange, openStore, revisionOf } from '@wrapup/queue';
import { type SampleKind, type SampleOverrides, samplePayload } from '@wrapup/synthflow';
import { onTestFinished } from 'vitest';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../../test/support/redis.ts';
import { beginAttempt, makeArrival } from '../../../../test/support/store.ts';

export const SECRET = '5f1c0de9a77401bb3f1c0de9a77401b3';

export const CONFIG = `sources:
  main:
    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]
    path_token: ["\${WEBHOOK_PATH_TOKEN:-}"]
    default_country: US
connections:
  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}", base_url: "\${HUBSPOT_BASE_URL:-http://127.0.0.1:9}" }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/hubspot.yaml, retries: { attempts: 4 } }
`;

/** A folder with wrapup.yaml and one mapping, gone with the test. */
export function configFolder(config = CONFIG, mapping = 'extends: hubspot/call-log\n'): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'mappings'));
  writeFileSync(join(folder, 'wrapup.yaml'), config);
  writeFileSync(join(folder, 'mappings/hubspot.yaml'), mapping);
  return folder;
}

export async function openInstallation() {
  const prefix = freshPrefix();
  const env: Record<string, string> = {
    REDIS_URL: redisUrl(),
    WRAPUP_PREFIX: prefix,
    WRAPUP_CONFIG: join(configFolder(), 'wrapup.yaml'),
    SYNTHFLOW_WEBHOOK_SECRET: SECRET,
    HUBSPOT_ACCESS_TOKEN: 'pat-na1-test',
  };
  const onError = () => {};
  const store = openStore({ url: redisUrl(), prefix, role: 'worker', onError });
  await store.connected(PATIENCE);
  onTestFinished(() => store.close());

  /** A call that ingress took; no worker has seen it. */
  async function receive(kind: SampleKind, overrides: SampleOverrides & { call_id: string }, source = 'main') {
    const body = Buffer.from(JSON.stringify(samplePayload(kind, overrides)));
    const { call_id } = overrides;
    await store.accept(makeArrival(call_id, body, { source }), 90);
    return { source, call_id, revision: revisionOf(body) };
  }

  /** The same, routed to `sales-calls`. */
  async function route(kind: SampleKind, overrides: SampleOverrides & { call_id: string }, source = 'main') {
    const call = await receive(kind, overrides, source);
    await store.ledger.route(call, {
      effect: 'applied',
      facts: { outcome: kind === 'connected' ? 'connected' : 'voicemail', status: 'completed', notes: [] },
      wanted: [{ route: 'sales-calls', connection: 'sales' }],
    });
    return call;
  }

  /** The same, tried once, with what came of it. */
  async function settle(overrides: SampleOverrides & { call_id: string }, change: DeliveryChange, source = 'main') {
    const call = await route('connected', overrides, source);
    const ref = { ...call, route: 'sales-calls', replays: 0 };
    await beginAttempt(store, ref, 'abc123');
    // A worker counts what it has written.
    const kept = change.state === 'written' ? { keptMs: 90 * 24 * 3600_000 } : {};
    await store.ledger.recordOutcome(ref, change, kept);
    const entry = await store.ledger.read(source, call.call_id);
    const delivery = entry?.deliveries[0];
    if (delivery && (delivery.state === 'parked' || delivery.state === 'dead'))
      await store.operations.addUnresolved(call, delivery);
    return call;
  }

  return { env, store, receive, route, settle };
}

export const AMBIGUOUS = {
  state: 'parked',
  code: 'ambiguous_person',
  reason: 'Two contacts have this number. Candidates: 101, 102.',
  hint: 'Merge the two in HubSpot.',
} as const;

export const DEAD = { state: 'dead', code: 'unavailable', reason: 'HubSpot answered 502 ten times.' } as const;
