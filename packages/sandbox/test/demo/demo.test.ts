import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parsePhone } from '@wrapup/call';
import { normalise, SynthflowApi, verifySignature } from '@wrapup/synthflow';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sandboxForFile, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const ask = { signal: new AbortController().signal };
const SECRET = 'a-secret';

/** Receives the webhooks. */
async function receiver(status = 202) {
  const received: { headers: NodeJS.Dict<string | string[]>; body: { call: { call_id: string } } }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: JSON.parse(await text(request)) });
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/main/post-call` };
}

async function control(method: string, body?: unknown) {
  const answer = await fetch(`${sandbox.url}/_sandbox/demo`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const said = await answer.text();
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at field by field
  return { status: answer.status, body: (said === '' ? undefined : JSON.parse(said)) as any };
}

describe('a demo', () => {
  it('places calls that end in every way, and signs and sends their webhooks', async () => {
    const { received, webhook } = await receiver();
    const status = await sandbox.control.demo({ calls: 150, rate: 10_000, pace: 0, webhook, secret: SECRET });
    expect(status).toMatchObject({ placed: 150, over: 150, running: false });
    expect(status.webhooks).toEqual({ sent: 150, lost: 0, answers: { 202: 150 } });
    expect(Object.keys(status.went).length).toBeGreaterThanOrEqual(7);
    expect(new Set(received.map(({ body }) => body.call.call_id)).size).toBe(150);
    for (const { headers, body } of received) {
      const header = String(headers['synthflow-signature']);
      expect(verifySignature({ callId: body.call.call_id, secrets: [SECRET], header })).toBe(true);
    }
  });

  it('says the same of a call by webhook and by API, once both are normalised', async () => {
    const { received, webhook } = await receiver();
    await sandbox.control.demo({ calls: 40, rate: 10_000, pace: 0, webhook });
    const api = new SynthflowApi({ region: 'us', base_url: sandbox.synthflowUrl, api_key: 'k' });
    onTestFinished(() => api.close());
    for (const { body } of received) {
      const context = { source: 'main' };
      const sent = normalise(body, context);
      const read = normalise(await api.readCall(sent.id, ask), context);
      for (const key of [
        'outcome',
        'started_at',
        'duration',
        'vars',
        'analysis',
        'prompt_variables',
        'transcript',
      ] as const)
        expect(read[key]).toEqual(sent[key]);
      expect(read.lead.phone).toBe(sent.lead.phone);
      expect(parsePhone(sent.lead.phone)?.e164).toBe(sent.lead.phone);
      expect(sent.notes).toEqual([]);
    }
  });

  it('loses exactly as many webhooks as it is asked to', async () => {
    const { received, webhook } = await receiver();
    const status = await sandbox.control.demo({ calls: 60, rate: 10_000, pace: 0, lose: 0.15, webhook });
    expect(status.webhooks).toMatchObject({ sent: 51, lost: 9 });
    expect(received).toHaveLength(51);
    const logs = await fetch(`${sandbox.synthflowUrl}/v2/logs?workspace_id=sandbox-workspace&status=failed`, {
      headers: { authorization: 'Bearer k' },
    });
    expect(((await logs.json()) as { response: { total: number } }).response.total).toBe(9);
  });

  it('rings and goes on before it ends, as the API shows', async () => {
    const began = await control('POST', { calls: 3, rate: 1000, pace: 2_000 });
    expect(began).toMatchObject({ status: 202, body: { calls: 3, running: true } });
    await until(
      async () => sandbox.control.calls(),
      (calls) => calls.length === 3,
    );
    expect(sandbox.control.calls().map(({ status }) => status)).toContain('ringing');
    await until(
      () => control('GET'),
      ({ body }) => body.over === 3,
    );
    expect(sandbox.control.calls().some(({ status }) => status === 'ringing')).toBe(false);
  });

  it('can be stopped, and only one runs at a time', async () => {
    await control('POST', { calls: 1000, rate: 1, pace: 0 });
    expect(await control('POST', { calls: 1 })).toMatchObject({ status: 400 });
    await control('DELETE');
    const { body } = await until(
      () => control('GET'),
      ({ body }) => !body.running,
    );
    expect(body.placed).toBeLessThan(10);
  });

  it('counts what was refused, and by whom nothing was answered', async () => {
    const { webhook } = await receiver(401);
    const refused = await sandbox.control.demo({ calls: 2, rate: 1000, pace: 0, webhook });
    expect(refused.webhooks.answers).toEqual({ 401: 2 });
    const unheard = await sandbox.control.demo({ calls: 2, rate: 1000, pace: 0, webhook: 'http://127.0.0.1:9/' });
    expect(unheard.webhooks.answers).toEqual({ 0: 2 });
  });

  it('makes the same calls for the same seed', async () => {
    const tell = async (seed: number) => {
      sandbox.control.reset();
      await sandbox.control.demo({ calls: 30, past: 3600_000, seed });
      return sandbox.control.calls().map(({ lead, status, duration }) => [lead, status, duration]);
    };
    const first = await tell(7);
    expect(await tell(7)).toEqual(first);
    expect(await tell(8)).not.toEqual(first);
  });

  it.each([
    [{ call: 3 }, /has no call; it has calls/],
    [{ lose: 15 }, /lose must be a number from 0 to 1/],
    [{ webhook: 'file:///etc/passwd' }, /webhook must be an http address/],
    [[], /a demo is an object/],
  ])('%j is refused with a reason', async (spec, reason) => {
    const { status, body } = await control('POST', spec);
    expect(status).toBe(400);
    expect(body.error).toMatch(reason);
  });
});
