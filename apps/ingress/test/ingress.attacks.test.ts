/**
 * What a stranger, or an attacker with one captured signature, can do to ingress: a real process under the memory limit of
 * docker-compose.yml. After each attack the process is alive, its memory stayed below the limit, and every valid signed
 * webhook that came meanwhile was taken.
 */
import { gzipSync } from 'node:zlib';
import { sign } from '@wrapup/synthflow';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  headOf,
  post,
  SECRET,
  Stalled,
  startWatchedIngress,
  tally,
  type WatchedIngress,
} from '../../../test/support/watched-ingress.ts';

const MB = 1024 ** 2;
const MAX_MB = 400;

let ingress: WatchedIngress;
const stalled: Stalled[] = [];
beforeAll(async () => {
  ingress = await startWatchedIngress();
});
afterEach(() => {
  for (const { socket } of stalled.splice(0)) socket.destroy();
});
afterAll(() => ingress.close());

/** Attacks while valid webhooks come, and checks what must hold whatever the attack is. */
async function during<T>(attack: () => Promise<T>, valid = 20, target = ingress): Promise<T> {
  const [result, answers] = await Promise.all([attack(), target.sendValid(valid)]);
  expect(answers).toEqual(['202 accepted']);
  expect(await target.healthy()).toBe(true);
  expect(target.peakMb()).toBeLessThan(MAX_MB);
  return result;
}

const many = async (count: number, attack: (index: number) => Promise<string>) =>
  tally(await Promise.all(Array.from({ length: count }, (_, index) => attack(index))));

function stall(sent: (string | Uint8Array)[], localAddress?: string, target = ingress): Promise<string> {
  const one = new Stalled(target.port, sent, localAddress);
  stalled.push(one);
  return one.ended;
}

const listOf = (unit: string, bytes: number) => `[${unit.repeat(bytes / unit.length)}1]`;

describe('a body that inflates to millions of values', () => {
  it.each([
    ['ones', gzipSync(listOf('1,', 25 * MB - 4))],
    ['empty objects', gzipSync(listOf('{},', 25 * MB - 6))],
    ['empty objects beside a call id', gzipSync(`{"call":{"call_id":"x"},"d":${listOf('{},', 12 * MB)}}`)],
  ])('of %s, some 25 kB, is given up after 64 kB', async (_what, bomb) => {
    expect(bomb.length).toBeLessThan(26_000);
    const answers = await during(() => many(40, () => post(ingress.port, bomb, { encoding: 'gzip' })));
    expect(Object.keys(answers)).toEqual(['413 too-large-unproved']);
  });

  it('is given up by its values when its signature is right', async () => {
    const bomb = gzipSync(`{"call":{"call_id":"x"},"d":${listOf('{},', 12 * MB)}}`);
    const answers = await during(() => many(20, () => post(ingress.port, bomb, { callId: 'x', encoding: 'gzip' })));
    expect(answers).toEqual({ '413 too-many-values': 20 });
  });

  it('is never parsed on the word of a stranger: what is no JSON and wrongly signed is 401', async () => {
    expect(await post(ingress.port, '{"call":{"call_id":"x"},"d":{1}}', {})).toBe('401 signature-wrong');
    expect(await post(ingress.port, '{"call":{"call_id":"x"},"d":{1}}', { callId: 'x' })).toBe('400 not-json');
  });

  it.each(['{},', '{"a":1},', '[[]],', '"",'])('of %s in 1 MB as it is, is given up by its values', async (unit) => {
    const body = listOf(unit, Math.floor((MB - 8) / unit.length) * unit.length);
    const answers = await during(() => many(10, () => post(ingress.port, body, {})), 5);
    expect(answers).toEqual({ '413 too-many-values': 10 });
  });
});

describe('bodies that stall', () => {
  const bomb = gzipSync(`{"a":"${'a'.repeat(22 * MB)}"}`).subarray(0, 21_800);

  it('six of 21.8 kB that inflate to 22 MB do not keep one of 100 valid webhooks out', async () => {
    const attack = () => many(6, () => stall([headOf('content-encoding: gzip\r\ncontent-length: 90000'), bomb]));
    expect(await during(attack, 100)).toEqual({ '413 too-large-unproved': 6 });
  });

  it('are given up for others, the oldest of the heaviest address first, and after ten seconds at most', async () => {
    const small = await startWatchedIngress({ INGRESS_MAX_IN_FLIGHT: '32MB' });
    const sent = [headOf('content-length: 900000'), `{"a":"${'a'.repeat(250_000)}`];
    const attack = () => many(80, (index) => stall(sent, `127.0.1.${1 + (index % 8)}`, small));
    const answers = await during(attack, 60, small);
    // Every one is answered, some as soon as the room for them was used up, the others by the clock.
    expect(Object.keys(answers).sort()).toEqual(['408 too-slow', '503 busy']);
    expect(await small.metric('wrapup_ingress_in_flight_bytes')).toBe(0);
    await small.close();
  });

  it.each([
    ['', '503 busy'],
    ['127.0.0.1', '408 too-slow'],
  ])('share one room behind a proxy, unless INGRESS_TRUSTED_PROXY names it: "%s"', async (proxy, answer) => {
    const small = await startWatchedIngress({ INGRESS_MAX_IN_FLIGHT: '32MB', INGRESS_TRUSTED_PROXY: proxy });
    const sentFor = (address: string) => [
      headOf(`content-length: 900000\r\nx-forwarded-for: ${address}`),
      `{"a":"${'a'.repeat(250_000)}`,
    ];
    const innocent = stall(sentFor('203.0.113.9'), undefined, small);
    await expect.poll(() => small.metric('wrapup_ingress_unproved_bytes')).toBeGreaterThan(200_000);
    const attack = () => many(20, () => stall(sentFor('203.0.113.1'), undefined, small));
    expect(Object.keys(await during(attack, 5, small)).sort()).toEqual(['408 too-slow', '503 busy']);
    expect(await innocent).toBe(answer);
    await small.close();
  });

  it('with one captured signature leave the room of small ones alone', async () => {
    const head = headOf('content-length: 26000000', sign('x', SECRET));
    const sent = [head, `{"call":{"call_id":"x"},"a":"${'a'.repeat(12 * MB)}`];
    const attack = async () => {
      const answers = Array.from({ length: 8 }, () => stall(sent));
      await Promise.race(answers);
    };
    await during(attack, 40);
  });
});

describe('connections', () => {
  it('that send nothing are closed for newcomers, the oldest first', async () => {
    const few = await startWatchedIngress({ INGRESS_MAX_CONNECTIONS: '200' });
    let closed = 0;
    const attack = async () => {
      for (let index = 0; index < 1_200; index += 1) {
        void stall([], undefined, few).then(() => {
          closed += 1;
        });
        if (index % 50 === 0) await few.healthy();
      }
      await expect.poll(() => closed).toBeGreaterThanOrEqual(1_000);
    };
    await during(attack, 40, few);
    expect(await few.metric('wrapup_ingress_connections')).toBeLessThanOrEqual(200);
    expect(await few.metric('wrapup_ingress_connections_closed_total')).toBeGreaterThanOrEqual(1_000);
    await few.close();
  });

  it('that send their header for ever are cut off', async () => {
    const dribbling = Array.from({ length: 100 }, () => {
      const one = new Stalled(ingress.port, ['POST /webhooks/main/post-call HTTP/1.1\r\nhost: x\r\n']);
      const timer = setInterval(() => one.socket.write('x-more: y\r\n'), 500);
      stalled.push(one);
      return one.ended.finally(() => clearInterval(timer));
    });
    expect(await during(async () => tally(await Promise.all(dribbling)))).toEqual({ '408': 100 });
  });

  it('that send their body for ever are cut off', async () => {
    const dribbling = Array.from({ length: 100 }, () => {
      const one = new Stalled(ingress.port, [headOf('content-length: 900000'), '{"a":"']);
      const timer = setInterval(() => one.socket.write('a'), 500);
      stalled.push(one);
      return one.ended.finally(() => clearInterval(timer));
    });
    expect(await during(async () => tally(await Promise.all(dribbling)))).toEqual({ '408 too-slow': 100 });
  });
});

describe('one captured signature', () => {
  it('cannot have 23 kB inflate to 23 MB, again and again', async () => {
    const bombs = Array.from({ length: 5 }, (_, index) =>
      gzipSync(`{"call":{"call_id":"x"},"i":${index},"a":"${'a'.repeat(23 * MB)}"}`),
    );
    const attack = () =>
      many(60, (index) => post(ingress.port, bombs[index % 5] as Buffer, { callId: 'x', encoding: 'gzip' }));
    const answers = await during(attack);
    expect(answers['413 too-large']).toBeGreaterThan(0);
    // The rest is more than can wait for the one before it, or came over a connection that a refusal has just closed.
    expect(Object.keys(answers).filter((answer) => answer.startsWith('2'))).toEqual([]);
  });

  it('cannot send bodies of 24 MB under its id past the memory limit', async () => {
    const bodies = (index: number) => `{"call":{"call_id":"x"},"i":${index},"a":"${'a'.repeat(24 * MB)}"}`;
    const attack = async () => {
      const answers: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        const posted = [0, 1, 2].map((index) => post(ingress.port, bodies(3 * round + index), { callId: 'x' }));
        answers.push(...(await Promise.all(posted)));
      }
      return tally(answers);
    };
    const answers = await during(attack);
    expect(answers['202 accepted'] ?? 0).toBeLessThanOrEqual(8);
  });
});
