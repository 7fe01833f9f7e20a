/**
 * Two installations on two shards of one Redis cluster, and a proxy that sends each source's webhooks to its own: the
 * configuration of nginx is the one that docs/guide/hardening.md and docs/guide/scale.md show.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { freePort } from '../../scripts/ports.mjs';
import { makeConfig, postSigned } from '../support/config.ts';
import { freshPrefix } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { openSystem } from '../support/system.ts';

const GUIDE = resolve(import.meta.dirname, '../../docs/guide');
const SOURCES = { a: ['acme', 'initech'], b: ['globex'] } as const;

const secretOf = (source: string) => `${source}-9e5d7b48a6a3f1c09e5d7b48a6a3f1c0`;

const payloadOf = (call_id: string) => samplePayload('connected', { call_id }) as { call: { call_id: string } };

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describe.skipIf(spawnSync('nginx', ['-v']).status !== 0)('sources spread over two installations', () => {
  it('each webhook reaches the shard and the CRM of its own, and no other', async () => {
    const a = freshPrefix();
    const cluster = await startCluster(`{${a}}`);
    closers.push(() => cluster.stop());
    const b = await prefixOnOtherShard(cluster.url, a);
    const [first, second] = await Promise.all([open(cluster.url, a, SOURCES.a), open(cluster.url, b, SOURCES.b)]);
    const proxy = await startProxy(await first.startIngress(), await second.startIngress());
    await Promise.all([first.startWorker(), second.startWorker()]);

    const calls = [...SOURCES.a, ...SOURCES.b].flatMap((source) =>
      Array.from({ length: 5 }, () => ({ source, id: randomUUID() })),
    );
    for (const { source, id } of calls) {
      const answer = await postSigned(proxy, payloadOf(id), secretOf(source), { source });
      expect(answer.status).toBe(202);
    }
    // A source of no installation is refused by the one that takes the rest.
    const unknown = await postSigned(proxy, payloadOf(randomUUID()), secretOf('hooli'), { source: 'hooli' });
    expect(unknown.status).toBe(404);

    for (const [system, sources] of [
      [first, SOURCES.a],
      [second, SOURCES.b],
    ] as const) {
      const own = calls.filter(({ source }) => (sources as readonly string[]).includes(source)).map(({ id }) => id);
      await expect.poll(async () => (await system.crm('calls')).length, { interval: 100 }).toBe(own.length);
      const logged = (await system.crm('calls')).map(({ properties }) => properties.wrapup_call_id?.split(':').at(-1));
      expect(logged.sort()).toEqual(own.sort());
    }
  });
});

/** A prefix whose hash tag is in the slots of another master. */
async function prefixOnOtherShard(url: string, prefix: string): Promise<string> {
  const client = new Redis(url.split(',')[0] as string);
  try {
    const ranges = ((await client.call('CLUSTER', 'SLOTS')) as [number, number][]).map(
      ([from, to]) => [from, to] as const,
    );
    const shardOf = async (name: string) => {
      const slot = Number(await client.call('CLUSTER', 'KEYSLOT', `{${name}}`));
      return ranges.findIndex(([from, to]) => slot >= from && slot <= to);
    };
    const taken = await shardOf(prefix);
    for (;;) {
      const other = freshPrefix();
      if ((await shardOf(other)) !== taken) return other;
    }
  } finally {
    client.disconnect();
  }
}

async function open(redis: string, prefix: string, sources: readonly string[]) {
  const lines = sources.map(
    (name) => `  ${name}: { provider: synthflow, webhook_secrets: ["${secretOf(name)}"], default_country: US }`,
  );
  const routes = [`- { name: sales-calls, from: [${sources.join(', ')}], to: sales, mapping: mapping.yaml }`];
  const config = makeConfig({ routes }).replace(/sources:[\s\S]*?(?=connections:)/, `sources:\n${lines.join('\n')}\n`);
  const system = await openSystem({ redis, prefix, config });
  closers.push(() => system.close());
  return system;
}

/** Starts nginx as the guides configure it, without TLS. @returns its port */
async function startProxy(...ingresses: readonly { port: number }[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-nginx-'));
  const port = await freePort();
  const replaced = (text: string, what: RegExp, by: string) => {
    expect(text, `${what}`).toMatch(what);
    return text.replace(what, by);
  };
  let spread = blockOf('scale.md');
  for (const [index, { port: ingress }] of ingresses.entries())
    spread = replaced(spread, new RegExp(`10\\.0\\.0\\.1${index + 1}:8080`), `127.0.0.1:${ingress}`);
  let server = blockOf('hardening.md');
  server = replaced(server, /upstream wrapup_ingress \{[^}]*\}/, spread);
  server = replaced(server, /proxy_pass http:\/\/wrapup_ingress;/, 'proxy_pass http://$wrapup_ingress;');
  server = replaced(server, /listen 443 ssl;/, `listen 127.0.0.1:${port};`);
  server = server.replace(/^.*\bssl_.*$/gm, '').replace('/var/log/nginx/', `${folder}/`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const main = `pid ${folder}/pid;\nerror_log ${folder}/error.log;\nevents {}\nhttp {\n${paths.join('\n')}\n${server}\n}\n`;
  writeFileSync(join(folder, 'nginx.conf'), main);
  const nginx = spawn(
    'nginx',
    ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'), '-g', 'daemon off;'],
    {
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => nginx.once('exit', () => resolve()));
  closers.push(async () => {
    nginx.kill('SIGQUIT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await expect
    .poll(() =>
      fetch(`http://127.0.0.1:${port}/`).then(
        ({ status }) => status,
        () => nginx.exitCode,
      ),
    )
    .toBe(404);
  return port;
}

/** The configuration of nginx that a guide shows. */
function blockOf(page: string): string {
  const block = /```nginx\n([\s\S]*?)```/.exec(readFileSync(join(GUIDE, page), 'utf8'))?.[1];
  if (block === undefined) throw new Error(`${page} shows no configuration of nginx`);
  return block;
}
