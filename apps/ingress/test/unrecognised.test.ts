import { sign } from '@wrapup/synthflow';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, newCallId, SECRET, source, startHarness } from './support/harness.ts';

const TOKEN = 'a-path-token';
const AT_TOKEN = `/webhooks/main/${TOKEN}/post-call`;

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness();
});
afterAll(() => ingress.close());
beforeEach(() => ingress.configure(source({ path_token: [TOKEN] })));

/** An event of a chat agent, as far as is known: no call, no signature. */
const chatEvent = (text: string) => JSON.stringify({ event: 'chat_ended', chat: { id: newCallId(), last: text } });

async function answerTo(response: Response): Promise<[number, { status: string; call_id: string; type: string }]> {
  return [response.status, (await response.json()) as never];
}

const problem = (type: string) => expect.objectContaining({ type: `urn:wrapup:problem:${type}` });

describe('a body without a call id', () => {
  it('is kept on the right path token, signed or not, under an id made of its bytes', async () => {
    for (const signature of [null, 'A'.repeat(43).concat('=')]) {
      const body = chatEvent('bye');
      const [status, answer] = await answerTo(await ingress.send({ path: AT_TOKEN, body, signature }));
      expect([status, answer]).toEqual([
        202,
        { status: 'accepted', call_id: expect.stringMatching(/^unrecognised-[0-9a-f]{24}$/) },
      ]);
      expect(await ingress.stored(answer.call_id, body)).toEqual(Buffer.from(body));
      expect(await ingress.store.ledger.read('main', answer.call_id)).toMatchObject({ verified: 'none' });
    }
  });

  it('is a duplicate when the same bytes come again', async () => {
    const body = chatEvent('bye');
    const [, first] = await answerTo(await ingress.send({ path: AT_TOKEN, body, signature: null }));
    expect(await answerTo(await ingress.send({ path: AT_TOKEN, body, signature: null }))).toEqual([
      200,
      { status: 'duplicate', call_id: first.call_id },
    ]);
  });

  it.each(['{}', '[]', 'null', '1', '"text"', '{"call":{"call_id":{}}}'])('may be %s', async (body) => {
    expect((await ingress.send({ path: AT_TOKEN, body, signature: null })).status).toBe(202);
  });

  it('is 400 without a token in the path, under any trust', async () => {
    for (const trust of ['signature', 'api', 'none'] as const) {
      ingress.configure(source({ trust }));
      expect(await answerTo(await ingress.send({ body: chatEvent('bye') }))).toEqual([400, problem('no-call-id')]);
    }
  });

  it('is 404 on a wrong token', async () => {
    const path = '/webhooks/main/another-token/post-call';
    expect((await ingress.send({ path, body: chatEvent('bye'), signature: null })).status).toBe(404);
  });

  it('is 400 on the right token when it is no JSON', async () => {
    const answer = await answerTo(await ingress.send({ path: AT_TOKEN, body: 'hello', signature: null }));
    expect(answer).toEqual([400, problem('not-json')]);
  });

  it('that is nested 1,000 deep is kept, and one nested 100,000 deep refused', async () => {
    const nested = (levels: number) => `{"chat":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const body = nested(1_000);
    const [status, { call_id }] = await answerTo(await ingress.send({ path: AT_TOKEN, body, signature: null }));
    expect(status).toBe(202);
    expect(await ingress.stored(call_id, body)).toEqual(Buffer.from(body));
    const sent = { path: AT_TOKEN, body: nested(100_000), signature: null };
    expect(await answerTo(await ingress.send(sent))).toEqual([400, problem('too-deep')]);
  });
});

describe('a call id in an unknown shape', () => {
  const shapes: [string, (callId: string) => string][] = [
    ['under another name', (id) => JSON.stringify({ event: 'post_call', data: { callId: id, transcript: 'hi' } })],
    ['in a list', (id) => JSON.stringify({ events: [{ Call_Id: id }] })],
    ['beside others', (id) => JSON.stringify({ parent: { call_id: 'another' }, data: { call_id: id } })],
    [
      'some levels down, after one that is none',
      (id) => JSON.stringify({ a: { call_id: '' }, b: { c: { d: { 'call-id': id } } } }),
    ],
  ];

  it.each(shapes)('%s is verified and kept under that id', async (_what, bodyOf) => {
    for (const path of ['/webhooks/main/post-call', AT_TOKEN]) {
      ingress.configure(source(path === AT_TOKEN ? { path_token: [TOKEN] } : {}));
      const callId = newCallId();
      const body = bodyOf(callId);
      expect(await answerTo(await ingress.send({ path, callId, body }))).toEqual([
        202,
        { status: 'accepted', call_id: callId },
      ]);
      expect(await ingress.stored(callId, body)).toEqual(Buffer.from(body));
      expect(await ingress.store.ledger.read('main', callId)).toMatchObject({ verified: 'signature' });
    }
  });

  it.each(shapes)('%s is 401 when its signature is wrong', async (_what, bodyOf) => {
    ingress.configure(source());
    const callId = newCallId();
    const sent = { callId, body: bodyOf(callId), signature: sign('yet another', SECRET) };
    expect(await answerTo(await ingress.send(sent))).toEqual([401, problem('signature-wrong')]);
    expect(await ingress.store.ledger.read('main', callId)).toBeUndefined();
  });

  it('is accepted unsigned where nothing has to be signed', async () => {
    ingress.configure(source({ trust: 'none' }));
    const callId = newCallId();
    const body = JSON.stringify({ data: { callId } });
    expect(await answerTo(await ingress.send({ body, signature: null }))).toEqual([
      202,
      { status: 'accepted', call_id: callId },
    ]);
  });

  it('is not looked for without end', async () => {
    ingress.configure(source());
    const callId = newCallId();
    const wide = JSON.stringify({
      padding: Array.from({ length: 50_000 }, (_, i) => i),
      data: { x: { call_id: callId } },
    });
    const deep = `${'{"a":'.repeat(1_000)}{"call_id":"${callId}"}${'}'.repeat(1_000)}`;
    for (const body of [wide, deep])
      expect(await answerTo(await ingress.send({ callId, body }))).toEqual([400, problem('no-call-id')]);
  });
});

describe('a call in a known shape on the right token', () => {
  it('still needs its signature', async () => {
    const callId = newCallId();
    expect(await answerTo(await ingress.send({ path: AT_TOKEN, callId, signature: null }))).toEqual([
      401,
      problem('signature-missing'),
    ]);
    expect(await answerTo(await ingress.send({ path: AT_TOKEN, callId, signature: sign('x', SECRET) }))).toEqual([
      401,
      problem('signature-wrong'),
    ]);
    expect((await ingress.send({ path: AT_TOKEN, callId })).status).toBe(202);
  });
});

describe('what a source does not keep', () => {
  it('is dropped from an unknown shape too, wherever it may stand', async () => {
    const bodies: Buffer[] = [];
    const own = await startHarness({
      sources: [source({ path_token: [TOKEN], keep: { transcript: false, raw: true } })],
      intake: (real) => ({
        ...real,
        accept(arrival) {
          bodies.push(arrival.body);
          return real.accept(arrival);
        },
      }),
    });
    const body = JSON.stringify({ chat: { topic: 'boats', transcript: 'secret', messages: [{ text: 'secret' }] } });
    expect((await own.send({ path: AT_TOKEN, body, signature: null })).status).toBe(202);
    expect(bodies.map((one) => JSON.parse(String(one)))).toEqual([{ chat: { topic: 'boats' } }]);
    await own.close();
  });
});
