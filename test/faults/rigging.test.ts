/** What faults are made of does what it says. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { fillPage } from '../support/section.ts';
import { PAGE, renderPage } from './report.ts';
import { TcpProxy } from './rigging/proxy.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server that answers each chunk with the same in capitals, and a client that reaches it through a proxy. */
async function connectThrough(): Promise<{
  proxy: TcpProxy;
  client: Socket;
  arrived: () => string;
  answered: () => string;
}> {
  let [arrived, answered] = ['', ''];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      arrived += chunk;
      socket.write(String(chunk).toUpperCase());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  const proxy = await TcpProxy.open((server.address() as { port: number }).port);
  cleanUps.push(() => proxy.close());
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => {});
  client.on('data', (chunk) => {
    answered += chunk;
  });
  await once(client, 'connect');
  cleanUps.push(() => client.destroy());
  return { proxy, client, arrived: () => arrived, answered: () => answered };
}

describe('a proxy', () => {
  it('holds what is asked, and lets it arrive late', async () => {
    const { proxy, client, arrived, answered } = await connectThrough();
    client.write('one ');
    await expect.poll(answered).toBe('ONE ');
    proxy.hold('requests');
    client.write('two');
    // The other direction is open, so that what had arrived by now would be answered.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(arrived()).toBe('one ');
    proxy.release('late');
    await expect.poll(answered).toBe('ONE TWO');
  });

  it('holds what is answered, and breaks the connection', async () => {
    const { proxy, client, arrived, answered } = await connectThrough();
    proxy.hold('answers');
    client.write('one');
    await expect.poll(arrived).toBe('one');
    const closed = once(client, 'close');
    proxy.release('broken');
    await closed;
    expect(answered()).toBe('');
  });

  it('lets what was asked arrive although the one who asked is gone', async () => {
    const { proxy, client, arrived } = await connectThrough();
    proxy.hold('requests');
    client.end('left behind');
    await once(client.resume(), 'finish');
    client.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.release('late');
    await expect.poll(arrived).toBe('left behind');
  });
});

it('a process of a run has the clock and the names that it is given', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-world-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'world.json');
  const script = `
    const ahead = [new Date() - performance.timeOrigin, Date.now() - performance.timeOrigin, new Date(Date()) - performance.timeOrigin];
    const fixed = new Date(0) instanceof Date && new Date(0).toISOString();
    require('net').connect(9, 'localhost').on('error', ({ code }) => console.log(JSON.stringify({ ahead, fixed, code })));`;
  const run = async (world: object) => {
    writeFileSync(file, JSON.stringify(world));
    const own = `--import=${resolve(import.meta.dirname, 'rigging/own-world.mjs')}`;
    const env = { PATH: process.env.PATH ?? '', WRAPUP_FAULTS_WORLD: file };
    const { stdout } = await promisify(execFile)(process.execPath, [own, '-e', script], { env });
    return JSON.parse(stdout) as { ahead: number[]; fixed: string; code: string };
  };
  const day = 24 * 3_600_000;
  const { ahead, fixed, code } = await run({ clock: -day, no_names: true });
  for (const ms of ahead) expect(Math.round(ms / day)).toBe(-1);
  expect(fixed).toBe('1970-01-01T00:00:00.000Z');
  expect(code).toBe('ENOTFOUND');
  const usual = await run({ clock: 0 });
  for (const ms of usual.ahead) expect(Math.abs(ms)).toBeLessThan(day / 2);
  expect(usual.code).not.toBe('ENOTFOUND');
});

describe('the page of what was found', () => {
  it('has the figures that were measured', () => {
    expect(renderPage()).toBe(readFileSync(PAGE, 'utf8'));
  });

  it('has a place for all of them, and nothing else but these', () => {
    const place = (name: string) => `<!-- figures: ${name} -->\nearlier\n<!-- end of figures -->`;
    const section = { inShort: [['power', '3 cuts', '0', 'again', 'today']], blocks: { power: '| 3 |' } };
    const page = fillPage(`By hand.\n\n${place('short')}\n\n${place('power')}\n`, [section]);
    expect(page).toContain('By hand.');
    expect(page).toContain('| power | 3 cuts | 0 | again | today |');
    expect(page).toContain('<!-- figures: power -->\n| 3 |\n<!-- end of figures -->');
    expect(page).not.toContain('earlier');
    expect(() => fillPage(place('short'), [section])).toThrow('no place for the figures power');
    expect(() => fillPage(place('short') + place('soak'), [])).toThrow('a place for figures "soak"');
  });
});
