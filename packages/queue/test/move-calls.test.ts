import { expect, it, onTestFinished } from 'vitest';
import { makeArrival, openTestStore } from '../../../test/support/store.ts';
import { copyCall, forgetCall, moveCall, type Renaming, revisionOf, takeCall } from '../src/index.ts';

const into = (name: string) => `acme.${name}`;
const RENAMING: Renaming = { source: into, route: into, connection: into };
const OPTIONS = { renaming: RENAMING, sameKey: true };
const bodyOf = (call_id: string, said: string) => Buffer.from(JSON.stringify({ call: { call_id, said } }));

async function open() {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  const arrive = async (source: string, call_id: string, said: string) => {
    const body = bodyOf(call_id, said);
    expect(await store.accept(makeArrival(call_id, body, { source }), 90)).not.toBe('ignored');
    return revisionOf(body);
  };
  const revisions = async (source: string, call_id: string) =>
    (await store.ledger.read(source, call_id))?.revisions.map(({ hash }) => hash).sort();
  return { store, arrive, revisions };
}

it('moves a call with its payloads and leaves nothing under its old name', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  expect(await moveCall(store, { source: 'main', call_id: 'a-1' }, OPTIONS, 0)).toBe(true);
  expect(await revisions('acme.main', 'a-1')).toEqual([first]);
  expect(await store.payloads.read('acme.main', 'a-1', first)).toEqual(bodyOf('a-1', 'first'));
  expect(await store.ledger.read('main', 'a-1')).toBeUndefined();
  expect(await store.payloads.has('main', 'a-1', first)).toBe(false);
  expect((await store.ledger.list()).map(({ source }) => source)).toEqual(['acme.main']);
  expect((await store.ledger.list({ client: 'acme' })).map(({ call_id }) => call_id)).toEqual(['a-1']);
});

it('a revision that came under the new name first loses none of the old', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  const second = await arrive('acme.main', 'a-1', 'second');
  expect(await moveCall(store, { source: 'main', call_id: 'a-1' }, OPTIONS, 0)).toBe(true);
  expect(await revisions('acme.main', 'a-1')).toEqual([first, second].sort());
  for (const hash of [first, second]) expect(await store.payloads.has('acme.main', 'a-1', hash)).toBe(true);
  expect((await store.ledger.openSince(Date.now())).map(({ source }) => source)).toEqual(['acme.main']);
});

it('a forgotten call stays forgotten, whichever of its names was', async () => {
  const { store, arrive } = await open();
  for (const [call_id, source] of [
    ['old', 'main'],
    ['new', 'acme.main'],
  ] as const) {
    await arrive('main', call_id, 'first');
    await arrive('acme.main', call_id, 'second');
    await forgetCall(store, { source, call_id }, 0);
    await moveCall(store, { source: 'main', call_id }, OPTIONS, 0);
    const entry = await store.ledger.read('acme.main', call_id);
    expect(entry?.forgotten).toBeGreaterThan(0);
    for (const { hash } of entry?.revisions ?? [])
      expect(await store.payloads.has('acme.main', call_id, hash)).toBe(false);
  }
});

it('taking it in again changes nothing, also where the first time was interrupted', async () => {
  const { store, arrive, revisions } = await open();
  const first = await arrive('main', 'a-1', 'first');
  const copy = await copyCall(store, { source: 'main', call_id: 'a-1' });
  if (!copy) throw new Error('no copy');
  expect(await takeCall(store, copy, OPTIONS)).toBe('taken');
  expect(await takeCall(store, copy, OPTIONS)).toBe('known');
  expect(await revisions('acme.main', 'a-1')).toEqual([first]);
});
