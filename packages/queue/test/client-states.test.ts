import type { Finding } from '@wrapup/findings';
import { expect, it, onTestFinished } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import { asIngressSees, type ClientState, ClientStateNotes } from '../src/index.ts';

const ERROR: Finding = { severity: 'error', code: 'unset-variable', message: 'ACME_SECRET is not set' };
const current = (name: string): ClientState => ({ name, state: 'current', errors: [] });
const unusable = (name: string): ClientState => ({ name, state: 'unusable', errors: [ERROR] });

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  return { store, notes: new ClientStateNotes(store.redis, store.keys) };
}

it('says of a client what only ingress finds, until ingress finds it no more', async () => {
  const { store, notes } = await open();
  const clients = [current('acme'), current('bolt')];
  await notes.note([unusable('acme'), current('bolt')]);
  expect(await asIngressSees(store, clients)).toEqual([
    { ...unusable('acme'), errors: [{ ...ERROR, message: 'ingress: ACME_SECRET is not set' }] },
    current('bolt'),
  ]);
  await notes.note(clients);
  expect(await asIngressSees(store, clients)).toEqual(clients);
});

it('leaves an error that the process finds itself as it is', async () => {
  const { store, notes } = await open();
  await notes.note([unusable('acme')]);
  const own: ClientState = { ...unusable('acme'), state: 'last_good' };
  expect(await asIngressSees(store, [own])).toEqual([own]);
});

it('ends by itself where ingress is gone', async () => {
  const { store, notes } = await open();
  await notes.note([unusable('acme')]);
  const left = await store.redis.pttl(store.keys.clientState('acme'));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(60_000);
});
