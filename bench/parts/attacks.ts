/**
 * What attacks of docs/security.md cost ingress: for each a process of its own under the memory limit of
 * docker-compose.yml, with an honest source beside the attacker.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sign } from '../../packages/synthflow/src/index.ts';
import { startRedisServer } from '../../scripts/local-redis.mjs';
import { headOf, post, SECRET, Stalled, startWatchedIngress, tally } from '../../test/support/watched-ingress.ts';
import type { HonestFigures } from '../support/honest-source.ts';
import { redisBytes } from '../support/watch.ts';

export interface AttackFigures extends HonestFigures {
  attack: string;
  /** Bytes that the attacker sent or still offers. */
  bytes: number;
  /** Most memory of ingress, MB. */
  memory: number;
  /** What Redis's data grew by, MB. */
  redis: number;
  /** What the attacker was answered, and how often. */
  answers: Record<string, number>;
}

interface Attack {
  what: string;
  /** @returns bytes and answers of the attacker */
  run(port: number): Promise<{ bytes: number; answers: string[] }>;
}

const MB = 1024 ** 2;
const SOURCE = resolve(import.meta.dirname, '../support/honest-source.ts');
const listOf = (unit: string, bytes: number) => `[${unit.repeat(bytes / unit.length)}1]`;

const ATTACKS: Attack[] = [
  { what: 'nothing', run: async () => ({ bytes: 0, answers: await pause(5_000, []) }) },
  bombs('strangers: 40 gzip bombs of 25 kB, ones', gzipSync(listOf('1,', 25 * MB - 4)), 40),
  bombs('strangers: 40 gzip bombs of 36 kB, empty objects', gzipSync(listOf('{},', 25 * MB - 6)), 40),
  bombs('strangers: 100 bodies of 1 MB, empty objects', Buffer.from(listOf('{},', MB - 9)), 100),
  {
    what: 'strangers: 12 stalled gzip bodies of 22 MB',
    async run(port) {
      const bomb = gzipSync(`{"a":"${'a'.repeat(22 * MB)}"}`).subarray(0, 21_800);
      const sent = [headOf('content-encoding: gzip\r\ncontent-length: 90000'), bomb];
      const answers = await Promise.all(Array.from({ length: 12 }, () => new Stalled(port, sent).ended));
      return { bytes: 12 * bomb.length, answers };
    },
  },
  {
    what: 'strangers: 400 stalled bodies of 250 kB from 8 addresses',
    async run(port) {
      const sent = [headOf('content-length: 900000'), `{"a":"${'a'.repeat(250_000)}`];
      const stalled = Array.from({ length: 400 }, (_, index) => new Stalled(port, sent, `127.0.1.${1 + (index % 8)}`));
      return { bytes: 400 * 250_000, answers: await Promise.all(stalled.map(({ ended }) => ended)) };
    },
  },
  {
    what: 'strangers: 12,000 connections that rest',
    async run(port) {
      const resting: Stalled[] = [];
      for (let index = 0; index < 12_000; index += 1) {
        resting.push(new Stalled(port, []));
        if (index % 100 === 0) await pause(10);
      }
      await pause(3_000);
      const closed = await Promise.all(resting.map(({ ended }) => Promise.race([ended, 'rests'])));
      for (const { socket } of resting) socket.destroy();
      return { bytes: 0, answers: closed };
    },
  },
  {
    what: 'strangers: 100 bodies, a byte every half a second',
    async run(port) {
      const stalled = Array.from(
        { length: 100 },
        () => new Stalled(port, [headOf('content-length: 900000'), '{"a":"']),
      );
      const timer = setInterval(() => stalled.map(({ socket }) => socket.write('a')), 500);
      const answers = await Promise.all(stalled.map(({ ended }) => ended));
      clearInterval(timer);
      return { bytes: 100 * 30, answers };
    },
  },
  bombs(
    'one captured signature: 20 gzip bombs of 17 kB, empty objects',
    gzipSync(`{"call":{"call_id":"x"},"d":${listOf('{},', 12 * MB)}}`),
    20,
    'x',
  ),
  bombs(
    'one captured signature: 60 gzip bombs of 23 MB',
    gzipSync(`{"call":{"call_id":"x"},"a":"${'a'.repeat(23 * MB)}"}`),
    60,
    'x',
  ),
  {
    what: 'one captured signature: 15 bodies of 24 MB, each another',
    async run(port) {
      const answers: string[] = [];
      for (let index = 0; index < 15; index += 3) {
        const bodies = [0, 1, 2].map(
          (more) => `{"call":{"call_id":"x"},"i":${index + more},"a":"${'a'.repeat(24 * MB)}"}`,
        );
        answers.push(...(await Promise.all(bodies.map((body) => post(port, body, { callId: 'x' })))));
      }
      return { bytes: 15 * 24 * MB, answers };
    },
  },
  {
    what: 'one captured signature: 8 stalled bodies of 12 MB',
    async run(port) {
      const head = headOf('content-length: 26000000', sign('x', SECRET));
      const sent = [head, `{"call":{"call_id":"x"},"a":"${'a'.repeat(12 * MB)}`];
      const stalled = Array.from({ length: 8 }, () => new Stalled(port, sent));
      const answers = await Promise.all(stalled.map(({ ended }) => ended));
      return { bytes: 8 * 12 * MB, answers };
    },
  },
];

/** So many bodies at once, signed for a call or not at all. */
function bombs(what: string, body: Buffer, count: number, callId?: string): Attack {
  const encoding = body[0] === 0x1f ? 'gzip' : undefined;
  const send = (port: number) => post(port, body, { ...(callId && { callId }), ...(encoding && { encoding }) });
  return {
    what,
    run: async (port) => ({
      bytes: count * body.length,
      answers: await Promise.all(Array.from({ length: count }, () => send(port))),
    }),
  };
}

export async function measureAttacks(): Promise<AttackFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  const redis = await startRedisServer({ dir: folder, appendonly: true });
  try {
    const all: AttackFigures[] = [];
    for (const attack of ATTACKS) all.push(await measureAttack(attack, redis.url));
    return all;
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureAttack({ what, run }: Attack, url: string): Promise<AttackFigures> {
  const ingress = await startWatchedIngress({ REDIS_URL: url });
  const before = await redisBytes(url);
  const honest = spawn(process.execPath, [SOURCE, JSON.stringify({ port: ingress.port, secret: SECRET })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = text(honest.stdout);
  await pause(1_000);
  const { bytes, answers } = await run(ingress.port);
  await pause(1_000);
  honest.stdin.end();
  const figures = JSON.parse(await said) as HonestFigures;
  const memory = ingress.peakMb();
  await ingress.close();
  const grown = ((await redisBytes(url)) - before) / MB;
  return { attack: what, bytes, memory, redis: Math.max(0, grown), answers: tally(answers), ...figures };
}
