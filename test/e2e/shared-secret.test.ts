/**
 * Two clients whose addresses nothing but a signature guards, and a change of one file by which it has the other's secret.
 * Ingress alone reads secrets; the worker, which does not, keeps last good files. Whatever is restarted, the client that
 * had the secret first goes on.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const SECRETS = { acme: 'a3f1c09e5d7b48a6a3f1c09e5d7b48a6', bolt: '7be04d92c1f8436a7be04d92c1f8436a' };
type Client = keyof typeof SECRETS;
const fileOf = (secret: string) => `
sources:
  main: { webhook_secrets: [${secret}], default_country: US }
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}" }
routes:
  - { name: calls, to: sales, mapping: mapping.yaml }
`;

let system: TestSystem;
beforeAll(async () => {
  system = await openSystem({
    config: 'retention: { delivered: 3d }\n',
    files: { 'clients/acme.yaml': fileOf(SECRETS.acme), 'clients/bolt.yaml': fileOf(SECRETS.bolt) },
  });
});
afterAll(() => system.close());

async function send(to: Client, signedBy: Client = to): Promise<number> {
  const payload = sampleOf('connected', '+14155550142');
  const answer = await fetch(`http://127.0.0.1:${system.ingress?.port}/webhooks/${to}.main/post-call`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'synthflow-signature': sign(payload.call.call_id, SECRETS[signedBy]),
    },
    body: JSON.stringify(payload),
  });
  return answer.status;
}
const kept = () => system.store.redis.hgetall(system.store.keys.clientHashes);
const said = (lines: Record<string, unknown>[] | undefined, text: string) =>
  lines?.filter(({ msg }) => String(msg).includes(text)).length ?? 0;

it('the one that had it goes on over restarts, and the other with what it had', async () => {
  const [, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
  await expect.poll(async () => Object.keys(await kept()).sort()).toEqual(['acme', 'bolt']);
  const before = await kept();

  writeFileSync(join(system.folder, 'clients/bolt.yaml'), fileOf(SECRETS.acme));
  await expect.poll(() => said(system.ingress?.lines, 'last good configuration stays')).toBe(1);
  // To the worker, which reads no secrets, it is as good as the one before.
  await expect.poll(() => said(worker.lines, 'configuration reloaded')).toBeGreaterThan(0);
  expect([await send('acme'), await send('bolt'), await send('bolt', 'acme')]).toEqual([202, 202, 401]);

  for (let restart = 1; restart <= 2; restart += 1) {
    await system.stop();
    await Promise.all([system.startWorker(), system.startIngress()]);
    expect([await send('acme'), await send('bolt'), await send('bolt', 'acme')]).toEqual([202, 202, 401]);
    expect(await kept()).toEqual(before);
  }
});
