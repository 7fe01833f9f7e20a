import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startRedisServer } from '../scripts/local-redis.mjs';
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

test('a server whose file is damaged at its end says why it does not start, and what repairs it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-damaged-'));
  const options = { dir, appendonly: true, args: ['--aof-load-truncated', 'yes'] };
  const server = await startRedisServer(options);
  expect(await ask(server.url, 'SET kept yes')).toBe('+OK');
  await server.stop();
  const file = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.aof'));
  appendFileSync(join(dir, file ?? ''), Buffer.alloc(500));
  await expect(startRedisServer(options)).rejects.toThrow(/Bad file format.+redis-check-aof --fix/);
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
  await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
  rmSync(dir, { recursive: true, force: true });
});
