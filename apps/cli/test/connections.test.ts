import { Failure } from '@wrapup/destination';
import { expect, test } from 'vitest';
import { operator } from '../src/connect/operator.ts';
import { openInstallation } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const refused = {
  ok: false as const,
  failure: new Failure('unauthorized', 'HubSpot refuses the token.', { hint: 'Put in a valid key.' }),
};

test('an operator pauses a connection with a reason, and resumes it', async () => {
  const { env, store, route } = await openInstallation();
  const call = await route('connected', { call_id: 'q-1' });
  const delivery = (await store.ledger.read('main', call.call_id))?.deliveries[0];
  if (delivery) await store.operations.enqueueDelivery(call, delivery, 4);

  const paused = await wrapup(['connections', 'pause', 'sales', '--reason', 'moving, ask dana@example.com'], env);
  expect(paused).toMatchObject({ code: 0 });
  expect(paused.stdout).toContain('sales is paused. What is under way is still written; 1 delivery waits.');
  const list = await wrapup(['connections', 'list', '--json'], env);
  expect(list.json()).toMatchObject([
    {
      connection: 'sales',
      state: 'paused',
      owner: 'operator',
      operator: { reason: 'moving, ask [e-mail]' },
      waiting: 1,
    },
  ]);
  expect((await wrapup(['connections', 'list'], env)).stdout).toMatch(
    new RegExp(`paused by ${operator().name} since .* moving`),
  );
  const shown = await wrapup(['calls', 'show', 'q-1'], env);
  expect(shown.stdout).toContain(`is paused by ${operator().name}: moving`);

  expect(await wrapup(['connections', 'resume', 'sales'], env)).toMatchObject({
    code: 0,
    stdout: 'sales is resumed: 1 delivery waits.\n',
  });
  expect(await store.queues.deliveries('sales').isPaused()).toBe(false);
  expect((await wrapup(['connections', 'list'], env)).stdout).toContain(`last resumed by ${operator().name} 20`);
});

test('a connection that stopped itself says why and until when; resume has it probed, and cannot lift it', async () => {
  const { env, store } = await openInstallation();
  await store.connections.note('sales', [refused]);
  const list = await wrapup(['connections', 'list'], env);
  expect(list.stdout).toMatch(/sales +hubspot +paused/);
  expect(list.stdout).toMatch(
    /stopped itself since .*: its credentials are refused\. Last failure: HubSpot refuses the token\.\n {4}Put in a valid key\.\n {4}probed again at/,
  );

  // What a worker does when it sees that a probe is due.
  const probing = (async () => {
    for (;;) {
      const pause = await store.connections.claimProbe('sales');
      if (pause) return store.connections.endProbe('sales', pause, refused.failure);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const resume = await wrapup(['connections', 'resume', 'sales'], env);
  await probing;
  expect(resume.code).toBe(1);
  expect(resume.stdout).toMatch(
    /still paused, by itself: its credentials are refused\. Last failure: HubSpot refuses the token\.\n {4}Put in a valid key\./,
  );
  expect(await store.queues.deliveries('sales').isPaused()).toBe(true);
});

test('the daily quota and when it is used up are listed', async () => {
  const { env, store } = await openInstallation();
  const at = Date.now();
  await store.redis.hset(store.keys.daily('sales'), { limit: 1000, remaining: 300, at });
  await store.redis.lpush(store.keys.dailySamples('sales'), `${at - 1800_000} 600`);
  const list = await wrapup(['connections', 'list', '--json'], env);
  expect(list.json()).toMatchObject([
    { daily: { limit: 1000, remaining: 300, hourly: 600, used_up_at: at + 1800_000 } },
  ]);
  expect((await wrapup(['connections', 'list'], env)).stdout).toMatch(/30 % left, used up at \d\d:\d\d UTC/);
});

test('an unknown connection is refused, with the list of connections', async () => {
  const { env } = await openInstallation();
  const answer = await wrapup(['connections', 'pause', 'slaes'], env);
  expect(answer.code).toBe(1);
  expect(answer.stderr).toContain('there are: sales');
});
