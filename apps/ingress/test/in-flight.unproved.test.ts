/** What is read of a sender before and after it has proved itself. */
import { gzipSync } from 'node:zlib';
import { sign } from '@wrapup/synthflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, newCallId, SECRET, type Sent, source, startHarness } from './support/harness.ts';
import { openRaw } from './support/raw.ts';

const MB = 1024 ** 2;
const TOKEN = 'a-path-token';
const AT_TOKEN = `/webhooks/guarded/${TOKEN}/post-call`;

let ingress: Harness;
beforeAll(async () => {
  ingress = await startHarness({
    sources: [
      source(),
      source({ name: 'guarded', path_token: [TOKEN] }),
      source({ name: 'open', trust: 'none', webhook_secrets: [] }),
    ],
  });
});
afterAll(() => ingress.close());

/** Status, code and all that was said. Where Redis was too slow, which the machine decides, it is sent again. */
async function send(sent: Sent): Promise<{ answer: string; said: string }> {
  for (let again = false; ; again = true) {
    const response = await ingress.send(sent);
    const said = await response.text();
    const { type, status } = JSON.parse(said) as { type?: string; status: string };
    const answer = `${response.status} ${type?.split(':').at(-1) ?? status}`;
    if (answer === '503 unavailable') continue;
    return { answer: again && answer === '200 duplicate' ? '202 accepted' : answer, said };
  }
}
const answerTo = async (sent: Sent) => (await send(sent)).answer;

/** An event of more than so many bytes, with its id at the beginning or the end. */
function large(callId: string, bytes: number, idAt: 'begin' | 'end', unit = 'x'): string {
  const text = `"transcript":"${unit.repeat(bytes / unit.length)}"`;
  const call = `"call":{"call_id":"${callId}"}`;
  return idAt === 'begin' ? `{${call},${text}}` : `{${text},${call}}`;
}

describe('of a body over 1 MB', () => {
  it('all is read once its signed id has come', async () => {
    const callId = newCallId();
    expect(await answerTo({ callId, body: large(callId, 3 * MB, 'begin') })).toBe('202 accepted');
  });

  it('no more is read where no id has come, and the answer names the path token', async () => {
    const callId = newCallId();
    const { answer, said } = await send({ callId, body: large(callId, 3 * MB, 'end') });
    expect(answer).toBe('413 too-large-unproved');
    expect(said).toMatch(/limit is 1 MB \(1048576 bytes\)/);
    expect(said).toMatch(/path token/);
  });

  it('no more is read where the signature of its id is wrong', async () => {
    const callId = newCallId();
    const sent = { callId, body: large(callId, 3 * MB, 'begin'), signature: sign('another', SECRET) };
    expect(await answerTo(sent)).toBe('401 signature-wrong');
  });

  it('all is read on the right path token, wherever its id stands', async () => {
    const callId = newCallId();
    expect(await answerTo({ path: AT_TOKEN, callId, body: large(callId, 3 * MB, 'end') })).toBe('202 accepted');
  });

  it('nothing is taken where nothing can prove it', async () => {
    const path = '/webhooks/open/post-call';
    const callId = newCallId();
    const sent = { path, callId, signature: null };
    expect(await answerTo({ ...sent, body: large(callId, 3 * MB, 'begin') })).toBe('413 too-large-unproved');
    expect(await answerTo({ ...sent, body: large(callId, MB - 1_000, 'begin') })).toBe('202 accepted');
  });

  it('the last word is had by the last id: another one under the same name is not verified by the first', async () => {
    const callId = newCallId();
    const another = `${large(callId, 2 * MB, 'begin').slice(0, -1)},"call":{"call_id":"another"}}`;
    expect(await answerTo({ callId, body: another })).toBe('401 signature-wrong');
    expect(await ingress.store.ledger.read('main', 'another')).toBeUndefined();
  });
});

describe('of a compressed body', () => {
  const gzip = (callId: string, body: string, more: Sent = {}) =>
    answerTo({ callId, body: gzipSync(body), headers: { 'content-encoding': 'gzip' }, ...more });

  it('no more than ten times its size is read where no id has come, from 64 kB on', async () => {
    const callId = newCallId();
    expect(await gzip(callId, large(callId, 300_000, 'end'))).toBe('413 too-large-unproved');
    expect(await gzip(callId, large(callId, 60_000, 'end'))).toBe('202 accepted');
    expect(await gzip(newCallId(), large(callId, 60_000, 'end'))).toBe('401 signature-wrong');
  });

  it('all is read once its signed id has come, or on the right path token', async () => {
    const callId = newCallId();
    expect(await gzip(callId, large(callId, 300_000, 'begin'))).toBe('202 accepted');
    expect(await gzip(callId, large(callId, 300_000, 'end'), { path: AT_TOKEN })).toBe('202 accepted');
  });

  it('that is text as people speak it, all is read, wherever its id stands', async () => {
    const callId = newCallId();
    const words = 'yes no maybe on Monday could you call me back please thank you what is your budget'.split(' ');
    let spoken = '';
    for (let index = 0; spoken.length < 300_000; index += 1)
      spoken += `${words[((index * index * 7 + index) % 97) % 18]} ${index} `;
    expect(await gzip(callId, large(callId, spoken.length, 'end', spoken))).toBe('202 accepted');
  });
});

describe('the call id', () => {
  it('is refused when the body says two', async () => {
    const callId = newCallId();
    for (const body of [
      `{"call":{"call_id":"${callId}"},"call_id":"another"}`,
      `{"call_id":"another","call":{"call_id":"${callId}"}}`,
      `{"call_id":"${callId}","callId":"another"}`,
      `{"call_id":"${callId}","response":{"calls":[{"call_id":"another"}]}}`,
    ]) {
      expect(await answerTo({ callId, body })).toBe('400 two-call-ids');
      expect(await answerTo({ callId: 'another', body })).toBe('400 two-call-ids');
    }
    expect(await answerTo({ callId, body: `{"call":{"call_id":"${callId}"},"call_id":"${callId}"}` })).toBe(
      '202 accepted',
    );
  });

  it('is the one that JSON.parse reads, escapes and repeated names included', async () => {
    for (const bodyOf of [
      (id: string) => `{"call":{"call_id":"first","call_id":"${id}"}}`,
      (id: string) => `{"call":{"call_id":"first"},"c\\u0061ll":{"call\\u005fid":"${id}"}}`,
      (id: string) => `{"call":{"call_id":"\\u00${id.charCodeAt(0).toString(16)}${id.slice(1)}"}}`,
    ]) {
      const callId = newCallId();
      expect(await answerTo({ callId, body: bodyOf(callId) })).toBe('202 accepted');
      expect(await ingress.store.ledger.read('main', callId)).toMatchObject({ call_id: callId, verified: 'signature' });
      expect(await answerTo({ callId: 'first', body: bodyOf(newCallId()) })).toBe('401 signature-wrong');
    }
    expect(await ingress.store.ledger.read('main', 'first')).toBeUndefined();
  });

  it('of an unknown shape is verified before it is parsed, too', async () => {
    const callId = newCallId();
    const body = `{"data":{"call_id":"${callId}"},"d":[1 2]}`;
    expect(await answerTo({ callId, body, signature: sign('another', SECRET) })).toBe('401 signature-wrong');
    expect(await answerTo({ callId, body })).toBe('400 not-json');
  });
});

it('a path that takes inbound calls has room of its own', async () => {
  const own = await startHarness({ options: { maxBody: 100_000, maxInFlight: 100_000 } });
  const callId = newCallId();
  const holder = openRaw(own.port);
  holder.write(
    `POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nsynthflow-signature: ${sign(callId, SECRET)}\r\ncontent-length: 99999\r\n\r\n{"call":{"call_id":"${callId}"},"a":"${'x'.repeat(99_000)}`,
  );
  await expect.poll(() => own.metrics.text()).toMatch(/ingress_in_flight_bytes 99\d\d\d/);
  own.answerCalls({
    within: 2_000,
    guard: 'none',
    variables: { said: { value: 'yes' } },
    agents: [],
    reads: { properties: [], related: {} },
  } as never);
  const response = await fetch(`${own.url}/webhooks/main/inbound-call`, {
    method: 'POST',
    body: JSON.stringify({
      event: 'call_inbound',
      call_inbound: { from_number: '+14155550123', pad: 'x'.repeat(5_000) },
    }),
  });
  expect(response.status).toBe(200);
  expect(own.logged()).not.toContain('"code":"busy"');
  holder.socket.destroy();
  await own.close();
});
