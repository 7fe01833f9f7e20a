import { packSettled } from '@wrapup/queue';
import { expect, test } from 'vitest';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const DAY_MS = 24 * 3_600_000;

test('a call is found and shown by its id when its entry is packed', async () => {
  const { env, store, settle } = await openInstallation();
  const receipt = {
    state: 'written' as const,
    records: [{ name: 'call_log', object: 'calls', id: '17', did: 'created' as const }],
    notes: [],
  };
  const { call_id, revision } = await settle({ call_id: 'packed-1', phone: '+14155550142' }, receipt);
  const before = await wrapup(['calls', 'show', call_id, '--json'], env);
  await store.ledger.close('main', call_id);
  await store.payloads.remove('main', call_id, [revision]);
  const later = Date.now() + DAY_MS;
  await packSettled(store, { before: later, now: 0 });
  expect(await packSettled(store, { before: later, now: later })).toBe(1);
  const shown = await wrapup(['calls', 'show', call_id, '--json'], env);
  expect(shown.json()).toEqual(before.json());
  expect((await wrapup(['calls', 'list'], env)).stdout).toContain(call_id);
  const replayed = await wrapup(['replay', call_id], env);
  expect(replayed.stdout + replayed.stderr).toMatch(/payload/);
  expect((await wrapup(['calls', 'show', 'packed-2'], env)).code).toBe(1);
});
