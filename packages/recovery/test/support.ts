/** A source whose calls are in a sandbox, and a ledger to compare them with. */
import { randomUUID } from 'node:crypto';
import type { Source } from '@wrapup/config';
import { type Arrival, openStore } from '@wrapup/queue';
import type { VoiceCall } from '@wrapup/sandbox';
import { startSandbox, webhookOf } from '@wrapup/sandbox';
import { onTestFinished } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { openApi } from '../src/index.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const LEDGER_DAYS = 90;

export async function openWorkspace(change: Partial<Source> = {}) {
  const prefix = freshPrefix();
  const store = openStore({ url: redisUrl(), prefix, role: 'worker', onError() {} });
  onTestFinished(() => store.close());
  await store.connected(PATIENCE);
  const sandbox = await startSandbox({ settings: { synthflow: { api_key: 'right-key' } } });
  onTestFinished(() => sandbox.close());
  const source: Source = {
    name: 'main',
    provider: 'synthflow',
    region: 'us',
    webhook_secrets: ['s'],
    path_token: [],
    api_key: 'right-key',
    base_url: sandbox.synthflowUrl,
    trust: 'signature',
    revisions: 'additive',
    keep: { transcript: true, raw: true },
    agents: {},
    ...change,
  };
  const api = openApi(source, { attempts: 2, base: 1 });
  onTestFinished(() => api.close());

  /** Calls that ended so long ago, evenly over that time; newest first. */
  async function makeCalls(calls: number, past: number): Promise<VoiceCall[]> {
    const before = new Set(sandbox.control.calls().map(({ id }) => id));
    await sandbox.control.demo({ calls, past });
    return sandbox.control.calls().filter(({ id }) => !before.has(id));
  }

  /** One more call like another. */
  function place(like: VoiceCall, change: Partial<VoiceCall>): VoiceCall {
    const call = { ...like, id: randomUUID(), ...change };
    sandbox.control.place(call);
    return call;
  }

  /** A webhook that did come. */
  async function receive(call: VoiceCall, overrides: Partial<Arrival> = {}): Promise<void> {
    const body = Buffer.from(JSON.stringify(webhookOf(call)));
    const arrival = { source: 'main', call_id: call.id, body, received: 'webhook', verified: 'signature' } as const;
    await store.accept({ ...arrival, received_at: Date.now(), ...overrides }, LEDGER_DAYS);
  }

  return { prefix, store, sandbox, source, api, makeCalls, place, receive };
}

export type Workspace = Awaited<ReturnType<typeof openWorkspace>>;
