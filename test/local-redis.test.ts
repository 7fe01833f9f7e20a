import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startRedisServer } from '../scripts/local-redis.mjs';
import { PATIENCE } from './support/patience.ts';
import { type PrivateRedis, redisUrl, startRedis } from './support/redis.ts';

const servers: PrivateRedis[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(...options: Parameters<typeof startRedis>): Promise<PrivateRedis> {
  const server = await startRedis(...options);
  servers.push(server);
  return server;
}

/** Sends one inline command and answers with the raw reply, or `nothing` after 300 ms of silence. */
function ask(url: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(`${command}\r\n`));
    const settle = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(300, () => settle('nothing'));
    socket.once('data', (data) => settle(data.toString().trim()));
    socket.once('error', reject);
  });
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('the shared server answers and never evicts', async () => {
  expect(await ask(redisUrl(), 'PING')).toBe('+PONG');
  expect(await ask(redisUrl(), 'CONFIG GET maxmemory-policy')).toContain('noeviction');
});

test('what a private server confirmed is still there after a kill and a restart on the same port', async () => {
  const redis = await start();
  expect(await ask(redis.url, 'SET kept yes')).toBe('+OK');
  const before = redis.pid;
  await redis.kill();
  await expect(ask(redis.url, 'PING')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await redis.restart();
  expect(redis.pid).not.toBe(before);
  expect(await ask(redis.url, 'GET kept')).toContain('yes');
});

/** Its append-only file; before Redis 7 there is one alone. */
function incrementOf(dir: string): string {
  const name = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((one) => one.endsWith('.incr.aof'));
  return join(dir, name ?? 'appendonly.aof');
}

/** Starts a server, has it carry out one script of three writes, and leaves its file as a crash would, but for the end. */
async function leaveFile(end: (file: Buffer) => Buffer): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-damaged-'));
  const server = await startRedisServer({ dir, appendonly: true, timeout: PATIENCE });
  await ask(server.url, 'SET kept yes');
  await ask(server.url, `EVAL "for n = 1, 3 do redis.call('SET', 'part' .. n, 'of one step') end" 0`);
  await server.stop();
  const file = incrementOf(dir);
  writeFileSync(file, end(readFileSync(file)));
  return dir;
}

test.each([
  ['torn within a transaction', (file: Buffer) => file.subarray(0, file.lastIndexOf('of one step') + 4)],
  ['torn before the end of a transaction', (file: Buffer) => file.subarray(0, file.lastIndexOf('EXEC') - 8)],
  ['full of zeros at its end', (file: Buffer) => Buffer.concat([file.subarray(0, -20), Buffer.alloc(500)])],
])('a file that is %s is cut before the transaction, and what comes then stays', async (_, end) => {
  const dir = await leaveFile(end);
  const left = readFileSync(incrementOf(dir));
  for (const round of ['first', 'second']) {
    const server = await startRedisServer({ dir, appendonly: true, timeout: PATIENCE });
    expect(await ask(server.url, 'EXISTS part1 part2 part3')).toBe(':0');
    expect(await ask(server.url, 'GET kept')).toContain('yes');
    // The disk may be what damaged it, and not a power cut.
    const kept = readFileSync(join(dir, 'unfinished.aof'));
    expect(left.subarray(left.length - kept.length).equals(kept)).toBe(true);
    expect(kept.toString('latin1')).toContain('of one step');
    expect(statSync(join(dir, 'unfinished.aof')).mode & 0o777).toBe(0o600);
    if (round === 'second') expect(await ask(server.url, 'GET later')).toContain('yes');
    else expect(await ask(server.url, 'SET later yes')).toBe('+OK');
    await server.stop();
  }
  rmSync(dir, { recursive: true });
});

test('a file of which more than an end is damaged stays as it is, and the message says why', async () => {
  const dir = await leaveFile((file) => Buffer.concat([file, Buffer.alloc(9_000_000)]));
  await expect(startRedisServer({ dir, appendonly: true, timeout: PATIENCE })).rejects.toThrow(
    /Bad file format.+redis-check-aof --fix/,
  );
  rmSync(dir, { recursive: true });
});

test('a frozen server keeps its connections and answers nothing until it is resumed', async () => {
  const redis = await start();
  redis.pause();
  expect(await ask(redis.url, 'PING')).toBe('nothing');
  redis.resume();
  expect(await ask(redis.url, 'PING')).toBe('+PONG');
});

test('a frozen server can be stopped, and stopped twice', async () => {
  const redis = await start({ appendonly: false });
  redis.pause();
  await redis.stop();
  await redis.stop();
  expect(isAlive(redis.pid)).toBe(false);
});

test('a server ends with the process that started it, even when that one is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-orphan-'));
  const script = new URL('../scripts/local-redis.mjs', import.meta.url).href;
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { startRedisServer } = await import(${JSON.stringify(script)});
       const { pid } = await startRedisServer({ dir: ${JSON.stringify(dir)} });
       console.log(pid);
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', (data) => resolve(String(data)))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid)).toBe(false);
  rmSync(dir, { recursive: true, force: true });
});
