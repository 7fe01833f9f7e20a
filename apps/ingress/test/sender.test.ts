import { createHmac } from 'node:crypto';
import { sign } from '@wrapup/synthflow';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, newCallId, SECRET, source, startHarness } from './support/harness.ts';

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness();
});
afterAll(() => ingress.close());
beforeEach(() => ingress.configure(source()));

const verifiedOf = async (callId: string) => (await ingress.store.ledger.read('main', callId))?.verified;

describe('the signature', () => {
  it.each([
    'Synthflow-Signature',
    'X-Synthflow-Signature',
    'HTTP-Synthflow-Signature',
    'HTTP_SYNTHFLOW_SIGNATURE',
    'SYNTHFLOW_SIGNATURE',
  ])('is found as %s', async (header) => expect((await ingress.send({ header })).status).toBe(202));

  it('may be hexadecimal', async () => {
    const callId = newCallId();
    const signature = createHmac('sha256', SECRET).update(callId).digest('hex');
    expect((await ingress.send({ callId, signature })).status).toBe(202);
  });

  it('may be of any secret in force, and of none that is not', async () => {
    ingress.configure(source({ webhook_secrets: ['new', 'old'] }));
    const signed = async (secret: string) => {
      const callId = newCallId();
      return (await ingress.send({ callId, signature: sign(callId, secret) })).status;
    };
    expect(await signed('new')).toBe(202);
    expect(await signed('old')).toBe(202);
    expect(await signed('older')).toBe(401);
    ingress.configure(source({ webhook_secrets: ['new'] }));
    expect(await signed('old')).toBe(401);
  });

  it('of another call is wrong', async () => {
    expect((await ingress.send({ signature: sign('another call', SECRET) })).status).toBe(401);
  });

  it('is never right without a secret', async () => {
    for (const webhook_secrets of [[], ['']]) {
      ingress.configure(source({ webhook_secrets }));
      const callId = newCallId();
      expect((await ingress.send({ callId, signature: sign(callId, '') })).status).toBe(401);
    }
  });

  it('of a call that is refused leaves nothing in Redis', async () => {
    const callId = newCallId();
    const before = await ingress.queued();
    await ingress.send({ callId, signature: sign(callId, 'wrong') });
    expect(await ingress.store.ledger.read('main', callId)).toBeUndefined();
    expect(await ingress.queued()).toBe(before);
  });
});

describe('under trust: none', () => {
  beforeEach(() => ingress.configure(source({ trust: 'none' })));

  it('an unsigned call is accepted as unverified', async () => {
    const callId = newCallId();
    expect((await ingress.send({ callId, signature: null })).status).toBe(202);
    expect(await verifiedOf(callId)).toBe('none');
  });

  it('a signed call is accepted as verified', async () => {
    const callId = newCallId();
    expect((await ingress.send({ callId })).status).toBe(202);
    expect(await verifiedOf(callId)).toBe('signature');
  });

  it('a wrong signature is 401', async () => {
    expect((await ingress.send({ signature: sign('another call', SECRET) })).status).toBe(401);
  });

  it('a signature that no secret can be held against proves nothing', async () => {
    ingress.configure(source({ trust: 'none', webhook_secrets: [] }));
    const callId = newCallId();
    expect((await ingress.send({ callId })).status).toBe(202);
    expect(await verifiedOf(callId)).toBe('none');
  });
});

describe('under trust: api', () => {
  const path = '/webhooks/main/first/post-call';
  const problemOf = async (response: Response) => [
    response.status,
    ((await response.json()) as { type: string }).type.split(':').at(-1),
  ];

  it('a call must be signed where secrets exist, with a path token too', async () => {
    ingress.configure(source({ trust: 'api' }));
    const callId = newCallId();
    expect(await problemOf(await ingress.send({ signature: null }))).toEqual([401, 'signature-missing']);
    const wrong = { signature: sign('another call', SECRET) };
    expect(await problemOf(await ingress.send(wrong))).toEqual([401, 'signature-wrong']);
    expect((await ingress.send({ callId })).status).toBe(202);
    expect(await verifiedOf(callId)).toBe('signature');

    ingress.configure(source({ trust: 'api', path_token: ['first'] }));
    expect(await problemOf(await ingress.send({ path, signature: null }))).toEqual([401, 'signature-missing']);
    expect(await problemOf(await ingress.send({ path, ...wrong }))).toEqual([401, 'signature-wrong']);
    expect((await ingress.send({ path })).status).toBe(202);
  });

  it('a path token is enough where no secret exists, whatever the signature says', async () => {
    ingress.configure(source({ trust: 'api', webhook_secrets: [''], path_token: ['first'] }));
    for (const signature of [null, 'c2lnbmF0dXJl']) {
      const callId = newCallId();
      expect((await ingress.send({ path, callId, signature })).status).toBe(202);
      expect(await verifiedOf(callId)).toBe('none');
    }
    expect((await ingress.send({ signature: null })).status).toBe(404);
  });

  it('nothing is taken where neither exists', async () => {
    ingress.configure(source({ trust: 'api', webhook_secrets: [] }));
    const callId = newCallId();
    expect(await problemOf(await ingress.send({ callId, signature: null }))).toEqual([401, 'no-proof']);
    expect(await problemOf(await ingress.send({ callId }))).toEqual([401, 'no-proof']);
    expect(await ingress.store.ledger.read('main', callId)).toBeUndefined();
  });
});

describe('the path token', () => {
  const to = async (path: string) => (await ingress.send({ path })).status;

  it('must be there and right once one is set', async () => {
    ingress.configure(source({ path_token: ['first'] }));
    expect(await to('/webhooks/main/first/post-call')).toBe(202);
    expect(await to('/webhooks/main/second/post-call')).toBe(404);
    expect(await to('/webhooks/main/post-call')).toBe(404);
    expect(await to('/webhooks/main/firs/post-call')).toBe(404);
  });

  it('may be any of several while they are rotated, without a restart', async () => {
    ingress.configure(source({ path_token: ['first', 'second'] }));
    expect(await to('/webhooks/main/first/post-call')).toBe(202);
    expect(await to('/webhooks/main/second/post-call')).toBe(202);
    ingress.configure(source({ path_token: ['second'] }));
    expect(await to('/webhooks/main/first/post-call')).toBe(404);
    expect(await to('/webhooks/main/second/post-call')).toBe(202);
  });

  it('is 404 where none is set, and an empty one counts as none', async () => {
    expect(await to('/webhooks/main/any/post-call')).toBe(404);
    ingress.configure(source({ path_token: [''] }));
    expect(await to('/webhooks/main/post-call')).toBe(202);
  });

  it('may need percent-encoding', async () => {
    ingress.configure(source({ path_token: ['a/b ü'] }));
    expect(await to(`/webhooks/main/${encodeURIComponent('a/b ü')}/post-call`)).toBe(202);
  });

  it('stays out of logs and metrics, as does whatever stands in a path', async () => {
    ingress.configure(source({ path_token: ['very-secret-token'] }));
    await to('/webhooks/main/very-secret-token/post-call');
    await fetch(`${ingress.url}/webhooks/main/very-secret-token/post-call`);
    await to('/webhooks/main/nearly-very-secret-token/post-call');
    await to('/webhooks/very-secret-token/other');
    await to('/webhooks/%zz-very-secret-token/post-call');
    expect(ingress.logged()).not.toContain('very-secret-token');
    const metrics = await ingress.metrics.text();
    expect(metrics).not.toContain('very-secret-token');
    expect(metrics).toContain('path="/webhooks/:source/post-call",source="main",result="accepted"');
  });
});
