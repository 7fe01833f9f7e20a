import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signedHeaders, signingKeys, webhookId } from '../src/endpoint/signature.ts';
import { httpSettings } from '../src/index.ts';
import { connect, OTHER_SECRET, SECRET, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint, type Received } from './support/endpoint.ts';
import { planOf, someCall } from './support/plans.ts';
import { verifies } from './support/verify.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

async function sendWith(secret: unknown): Promise<Received> {
  await writeOne(await connect({ url: endpoint.url, secret }), planOf());
  const received = endpoint.received.at(-1);
  if (!received) throw new Error('nothing was received');
  return received;
}

describe('the signature', () => {
  test('is the one of a published example', () => {
    // https://docs.svix.com/receiving/verifying-payloads/how-manual
    const body = Buffer.from('{"test": 2432232314}');
    const keys = signingKeys(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'no secret']);
    expect(signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, body, keys)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('holds for the very bytes that were sent, and for nothing else', async () => {
    const received = await sendWith(SECRET);
    expect(await verifies(received, SECRET)).toBe(true);
    expect(await verifies(received, OTHER_SECRET)).toBe(false);
    const changed = Buffer.from(received.raw.toString().replace('renewal', 'removal'));
    expect(await verifies({ ...received, raw: changed }, SECRET)).toBe(false);
    const later = String(Number(received.headers['webhook-timestamp']) + 1);
    const headers = { ...received.headers, 'webhook-timestamp': later };
    expect(await verifies({ ...received, headers }, SECRET)).toBe(false);
  });

  test('while secrets rotate there is one for each, and either receiver is content', async () => {
    const received = await sendWith([SECRET, OTHER_SECRET]);
    expect(String(received.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect(await verifies(received, SECRET)).toBe(true);
    expect(await verifies(received, OTHER_SECRET)).toBe(true);
  });

  test('is absent without a secret; the id and the time are there all the same', async () => {
    const { headers } = await sendWith([]);
    expect(headers['webhook-signature']).toBeUndefined();
    expect(headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp']))).toBeLessThan(60);
  });

  test('covers texts of any script', async () => {
    const call = someCall({ lead: { name: 'Zoë 🦆 Ωmega' }, transcript: '\u0000 lone half: \ud800' });
    await writeOne(await connect({ url: endpoint.url, secret: SECRET }), planOf(call));
    expect(await verifies(endpoint.received[0] as Received, SECRET)).toBe(true);
    expect(endpoint.received[0]?.body).toMatchObject({ data: { lead: { name: 'Zoë 🦆 Ωmega' } } });
  });

  test.each([
    ['without its prefix', Buffer.alloc(32).toString('base64')],
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['no base64', 'whsec_this is not base64 at all, is it?'],
    ['empty', 'whsec_'],
    ['an asymmetric key', `whsk_${Buffer.alloc(32).toString('base64')}`],
  ])('a secret that is %s is refused at load, with how to make one', (_what, secret) => {
    const { error } = httpSettings.safeParse({ url: 'https://example.com/', secret });
    expect(error?.issues).toMatchObject([{ path: ['secret', 0], message: expect.stringContaining('openssl rand') }]);
  });
});

describe('the webhook-id', () => {
  test('is the same for every attempt and replay of a revision of a call on a route', async () => {
    const destination = await connect({ url: endpoint.url });
    await writeOne(destination, planOf());
    await writeOne(destination, planOf(someCall(), { resume: { attempts: 3, records: {} } }));
    await writeOne(await connect({ url: endpoint.url, secret: SECRET }), planOf());
    expect(new Set(endpoint.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(endpoint.received.map(({ raw }) => raw.toString())).size).toBe(1);
  });

  test('is another for another call, source, route, revision and event', () => {
    const ids = [
      webhookId('main:c1', 'alerts', 'r1', 'event'),
      webhookId('main:c2', 'alerts', 'r1', 'event'),
      webhookId('other:c1', 'alerts', 'r1', 'event'),
      webhookId('main:c1', 'chat', 'r1', 'event'),
      webhookId('main:c1', 'alerts', 'r2', 'event'),
      webhookId('main:c1', 'alerts', undefined, 'event'),
      webhookId('main:c1', 'alerts', 'r1', 'second'),
      webhookId('main:c1alerts', '', 'r1', 'event'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
  });
});
