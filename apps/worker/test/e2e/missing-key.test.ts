/** A worker without the key of a payload: the calls wait for it, nothing of them is lost, and no attempt is counted. */
import { randomBytes, randomUUID } from 'node:crypto';
import { openStore } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, expect, it } from 'vitest';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../../test/support/redis.ts';
import { openWorkerSystem, until } from '../support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

it('lets calls wait that it cannot open, says which key is missing, and leaves them to one that has it', async () => {
  const key = randomBytes(32).toString('base64');
  const prefix = freshPrefix();
  const system = await openWorkerSystem({ prefix });
  const sealed = openStore({ url: redisUrl(), prefix, role: 'worker', onError() {}, encryption_keys: key });
  closers.push(
    () => system.close(),
    () => sealed.close(),
  );
  await sealed.connected(PATIENCE);
  const call_id = randomUUID();
  const body = Buffer.from(JSON.stringify(samplePayload('connected', { call_id })));
  const arrival = { source: 'main', call_id, body, received: 'webhook', verified: 'signature' } as const;
  await sealed.accept({ ...arrival, received_at: Date.now() }, 90);

  const blind = await system.startWorker();
  await until(async () => (await system.store.ledger.read('main', call_id))?.waiting !== undefined);
  const entry = await system.store.ledger.read('main', call_id);
  expect(entry?.waiting?.reason).toContain(`encrypted with key ${sealed.encryptor.key}`);
  expect(entry?.waiting?.hint).toContain('WRAPUP_ENCRYPTION_KEY');
  expect(entry?.stopped).toBeUndefined();
  await blind.close();

  await system.startWorker(key);
  // What an operator would wait for a minute for.
  const calls = system.store.queues.get('calls');
  for (const job of await calls.getDelayed()) await job.promote();
  await until(async () => (await system.delivery(call_id))?.state === 'written');
  expect(await system.delivery(call_id)).toMatchObject({ attempts: 1 });
});
