import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventOf, type Harness, newCallId, source, startHarness } from './support/harness.ts';
import { openRaw } from './support/raw.ts';

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness({
    sources: [source(), source({ name: 'guarded', path_token: ['t0ken'] })],
    options: { maxBody: 4096 },
  });
});
afterAll(() => ingress.close());

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: expect.stringMatching(/^urn:wrapup:problem:/), status: response.status });
  expect(problem.title).toBeTruthy();
  expect(problem.detail).toBeTruthy();
  return problem;
}

describe('a signed call', () => {
  it('is answered 202, with its bytes and one job in Redis', async () => {
    const callId = newCallId();
    const body = eventOf(callId, { transcript: '\nbot: Grüß Gott 👋\nhuman: hi' });
    const before = await ingress.queued();
    const response = await ingress.send({ callId, body });
    expect(response.status).toBe(202);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ status: 'accepted', call_id: callId });
    expect(await ingress.stored(callId, body)).toEqual(Buffer.from(body));
    expect(await ingress.queued()).toBe(before + 1);
    expect(await ingress.store.ledger.read('main', callId)).toMatchObject({
      source: 'main',
      call_id: callId,
      received: 'webhook',
      verified: 'signature',
    });
  });

  it('is answered 200 duplicate when the same bytes come again, without a second job', async () => {
    const callId = newCallId();
    expect((await ingress.send({ callId })).status).toBe(202);
    const before = await ingress.queued();
    const again = await ingress.send({ callId });
    expect([again.status, await again.json()]).toEqual([200, { status: 'duplicate', call_id: callId }]);
    expect(await ingress.queued()).toBe(before);
  });

  it('is answered 202 when other bytes come for the same id: a revision', async () => {
    const callId = newCallId();
    await ingress.send({ callId });
    const revision = await ingress.send({ callId, body: eventOf(callId, { duration: 12 }) });
    expect([revision.status, await revision.json()]).toEqual([202, { status: 'accepted', call_id: callId }]);
    expect((await ingress.store.ledger.read('main', callId))?.revisions).toHaveLength(2);
  });

  it('is stored once when fifty of it come at the same time', async () => {
    const callId = newCallId();
    const before = await ingress.queued();
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await ingress.send({ callId })).status));
    expect(statuses.filter((status) => status === 202)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(49);
    expect(await ingress.queued()).toBe(before + 1);
  });
});

describe('a probe', () => {
  it.each(['GET', 'HEAD'])('with %s is answered 200, counted and logged', async (method) => {
    expect((await ingress.send({ method, signature: null })).status).toBe(200);
    expect(await ingress.metrics.text()).toMatch(
      new RegExp(`wrapup_ingress_probes_total{source="main",event="post-call",method="${method}"} 1`),
    );
    expect(ingress.logged()).toContain(`"method":"${method}","msg":"this URL was probed"`);
  });

  it('with an empty POST is answered 200, signed or not', async () => {
    const response = await fetch(`${ingress.url}/webhooks/main/post-call`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    expect((await ingress.send({ body: '' })).status).toBe(200);
  });

  it('with an empty chunked POST is answered 200 when it carries a signature', async () => {
    const raw = openRaw(ingress.port);
    raw.write(
      'POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\nsynthflow-signature: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n',
    );
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('of an unknown source, or without its token, is answered 404', async () => {
    expect((await fetch(`${ingress.url}/webhooks/nobody/post-call`)).status).toBe(404);
    expect((await fetch(`${ingress.url}/webhooks/guarded/post-call`)).status).toBe(404);
    expect((await fetch(`${ingress.url}/webhooks/guarded/t0ken/post-call`)).status).toBe(200);
  });
});

describe('400', () => {
  it.each([
    ['text', 'hello'],
    ['half an object', '{"call":{"call_id":"x"'],
    ['a NUL byte outside of a string', '{"call":\0{}}'],
    ['two values', '{} {}'],
    ['UTF-16', Buffer.from('{"call":{"call_id":"x"}}', 'utf16le')],
  ])('answers %s, quoting nothing of it', async (_what, body) => {
    const response = await ingress.send({ body });
    expect(response.status).toBe(400);
    const problem = await problemOf(response);
    expect(problem.type).toBe('urn:wrapup:problem:not-json');
    expect(JSON.stringify(problem)).not.toMatch(/hello|call_id|"x"/);
  });

  it.each(['{}', '[]', 'null', '"call_id"', '1', '{"call":{}}', '{"call":{"call_id":""}}', '{"call":{"call_id":{}}}'])(
    'answers %s: no call id',
    async (body) => {
      const response = await ingress.send({ body });
      expect(response.status).toBe(400);
      expect((await problemOf(response)).type).toBe('urn:wrapup:problem:no-call-id');
    },
  );

  it('answers a call id that only a prototype could hold', async () => {
    expect((await ingress.send({ body: '{"__proto__":{"call":{"call_id":"p"}}}' })).status).toBe(400);
    expect((await ingress.send({ body: '{"call":{"__proto__":{"call_id":"p"}}}' })).status).toBe(400);
  });

  it('answers a call id of endless length', async () => {
    const callId = 'x'.repeat(1000);
    expect((await ingress.send({ callId })).status).toBe(400);
  });

  it('answers a path that cannot be decoded', async () => {
    const response = await fetch(`${ingress.url}/webhooks/%zz/post-call`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(400);
    await problemOf(response);
  });
});

describe('401', () => {
  it('answers a missing signature with the hint at proxies', async () => {
    const response = await ingress.send({ signature: null });
    expect(response.status).toBe(401);
    const problem = await problemOf(response);
    expect(problem.type).toBe('urn:wrapup:problem:signature-missing');
    expect(problem.hint).toMatch(/proxy.*underscores/);
  });

  it('answers a missing signature before any of the body has come', async () => {
    const raw = openRaw(ingress.port);
    raw.write(
      'POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 3000\r\n\r\n',
    );
    expect(await raw.hears(/signature-missing/)).toMatch(/^HTTP\/1\.1 401 /);
    raw.socket.destroy();
  });

  it('answers a wrong signature', async () => {
    const response = await ingress.send({ signature: 'A'.repeat(43).concat('=') });
    expect(response.status).toBe(401);
    expect((await problemOf(response)).type).toBe('urn:wrapup:problem:signature-wrong');
  });
});

describe('404', () => {
  it.each(['/webhooks/nobody/post-call', '/webhooks/constructor/post-call', '/webhooks/__proto__/post-call'])(
    'answers the unknown source in %s',
    async (path) => {
      const response = await ingress.send({ path });
      expect(response.status).toBe(404);
      await problemOf(response);
    },
  );

  it('says the same of an unknown source and of a wrong token', async () => {
    const unknown = await ingress.send({ path: '/webhooks/nobody/post-call' });
    const wrong = await ingress.send({ path: '/webhooks/guarded/wrong/post-call' });
    expect(await wrong.text()).toBe(await unknown.text());
  });

  it.each(['/', '/webhooks', '/webhooks/main', '/webhooks/main/other', '/favicon.ico', '/webhooks//post-call'])(
    'answers the path %s',
    async (path) => {
      const response = await ingress.send({ path });
      expect(response.status).toBe(404);
      await problemOf(response);
    },
  );
});

describe('405', () => {
  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('answers %s, with what is allowed', async (method) => {
    const response = await ingress.send({ method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    await problemOf(response);
  });
});

describe('413', () => {
  it('answers a body that announces too much, with the limit named', async () => {
    const callId = newCallId();
    const response = await ingress.send({ callId, body: eventOf(callId, { transcript: 'x'.repeat(5000) }) });
    expect(response.status).toBe(413);
    const problem = await problemOf(response);
    expect(problem.detail).toContain('4 KB (4096 bytes)');
    expect(problem.hint).toContain('INGRESS_MAX_BODY');
  });

  it('takes a body of exactly the limit', async () => {
    const callId = newCallId();
    const rest = 4096 - eventOf(callId, { transcript: '' }).length;
    const body = eventOf(callId, { transcript: 'x'.repeat(rest) });
    expect(body.length).toBe(4096);
    expect((await ingress.send({ callId, body })).status).toBe(202);
    expect((await ingress.send({ callId, body: `${body} ` })).status).toBe(413);
  });
});

describe('415', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/json; charset=utf-16'])(
    'answers %s',
    async (type) => {
      const response = await ingress.send({ headers: { 'content-type': type } });
      expect(response.status).toBe(415);
      await problemOf(response);
    },
  );

  it.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/vnd.synthflow+json'])(
    'does not answer %s',
    async (type) => expect((await ingress.send({ headers: { 'content-type': type } })).status).toBe(202),
  );

  it.each(['compress', 'gzip, br', 'zstd'])('answers the encoding %s', async (encoding) => {
    const response = await ingress.send({ headers: { 'content-encoding': encoding } });
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-encoding')).toBe('gzip, deflate, br');
    await problemOf(response);
  });
});

describe('every answer', () => {
  it('is silent about what runs here', async () => {
    const response = await ingress.send({ path: '/nothing' });
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('server')).toBeNull();
    expect(await response.text()).not.toMatch(/express|node_modules|at .*:\d+:\d+/i);
  });

  it('leaves the connection in use after a refusal', async () => {
    const raw = openRaw(ingress.port);
    const request = (path: string, more = '') =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}content-length: 2\r\n\r\n{}`;
    raw.write(request('/webhooks/nobody/post-call'));
    await raw.hears(/unknown-source/);
    raw.write(request('/webhooks/main/post-call', 'connection: close\r\n'));
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 404 .*HTTP\/1\.1 401 /s);
  });
});
