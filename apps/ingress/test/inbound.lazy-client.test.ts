import { createRequire } from 'node:module';
import { KINDS } from '@wrapup/config';
import { expect, it } from 'vitest';
import { newCallId, startHarness } from './support/harness.ts';
import { inbound } from './support/inbound.ts';

/** Whether anything of the vendor's client was loaded into this process, which no other test shares. */
function clientIsLoaded(): boolean {
  return Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('@hubspot/api-client'));
}

it('a vendor’s client is loaded when inbound calls are to be answered, and not before', async () => {
  const settings = KINDS.hubspot?.settings.parse({ access_token: 'pat-na1-test', base_url: 'http://127.0.0.1:9' });
  const ingress = await startHarness({ connections: { sales: { name: 'sales', kind: 'hubspot', settings } } });
  const callId = newCallId();
  expect((await ingress.send({ callId })).status).toBe(202);
  expect((await ingress.send({ path: '/webhooks/main/inbound-call' })).status).toBe(200);
  expect(clientIsLoaded()).toBe(false);

  ingress.answerCalls(inbound());
  await ingress.callers.prepare();
  expect(clientIsLoaded()).toBe(true);
  await ingress.close();
});
