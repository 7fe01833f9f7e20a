import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventOf, type Harness, newCallId, source, startHarness } from './support/harness.ts';

let ingress: Harness;
let kept: Buffer[] = [];
beforeAll(async () => {
  ingress = await startHarness({
    sources: [source({ keep: { transcript: false, raw: true } })],
    intake: (real) => ({
      ...real,
      accept(arrival) {
        kept.push(arrival.body);
        return real.accept(arrival);
      },
    }),
  });
});
afterAll(() => ingress.close());

describe('keep: { transcript: false }', () => {
  it('drops the transcript before anything is stored, and nothing else', async () => {
    kept = [];
    const callId = newCallId();
    const response = await ingress.send({ callId, body: eventOf(callId, { transcript: 'human: hi', duration: 7 }) });
    expect(response.status).toBe(202);
    const [body] = kept;
    expect(JSON.parse(String(body)).call).toMatchObject({ call_id: callId, duration: 7 });
    expect(String(body)).not.toContain('human: hi');
    expect(await ingress.stored(callId, body as Buffer)).toEqual(body);
  });

  it('takes a repeat for a duplicate', async () => {
    const callId = newCallId();
    const body = eventOf(callId, { transcript: 'human: hi' });
    expect((await ingress.send({ callId, body })).status).toBe(202);
    expect((await ingress.send({ callId, body })).status).toBe(200);
  });

  it('also does so for what is nested too deeply to be written again whole', async () => {
    kept = [];
    const callId = newCallId();
    const body = `{"call":{"call_id":"${callId}","transcript":"human: hi"},"d":${'['.repeat(1_020)}${']'.repeat(1_020)}}`;
    expect((await ingress.send({ callId, body })).status).toBe(202);
    expect(JSON.parse(String(kept[0])).call).toEqual({ call_id: callId });
    expect(String(kept[0])).not.toContain('human: hi');
  });
});

describe('keep: { raw: false }', () => {
  it('drops what no mapping reads before anything is stored', async () => {
    kept = [];
    ingress.configure(source({ keep: { transcript: true, raw: false } }));
    const callId = newCallId();
    await ingress.send({
      callId,
      body: eventOf(callId, { transcript: 'human: hi', telephony_sip_headers: { from: 'x' } }),
    });
    expect(JSON.parse(String(kept[0])).call).toMatchObject({ call_id: callId, transcript: 'human: hi' });
    expect(String(kept[0])).not.toContain('telephony_sip_headers');
  });
});
