/** A copy of Redis that is taken while calls come in and restored a day later, with the commands of docs/guide/backup.md. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { shellBlocks } from '../../scripts/shell-blocks.mjs';
import { makeConfig } from '../support/config.ts';
import { startRedis } from '../support/redis.ts';
import { openSystem, SECRET } from '../support/system.ts';
import { payloadOf } from './earlier-data.ts';

const PAGE = readFileSync(resolve(import.meta.dirname, '../../docs/guide/backup.md'), 'utf8');
/** The first lines for a shell under a heading of the page. */
function commandsOf(heading: string): string {
  const part = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [lines] = shellBlocks(part);
  if (!lines) throw new Error(`docs/guide/backup.md has no commands under ${heading}`);
  return lines;
}

const TWIN = { properties: { phone: '+14155550190' } };

/** Redis before 7 has one file in place of the folder. */
test.skipIf(inject('redisServer').major < 7)(
  'every call is once where it belongs after yesterday’s copy was restored',
  async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const place = mkdtempSync(join(tmpdir(), 'wrapup-copy-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const copy = join(place, 'redis-of-yesterday');
    // Redis' own commands stand beside the server that the tests found, which need not be installed.
    const { command, env } = inject('redisServer');
    const PATH = [dirname(command), process.env.PATH].join(delimiter);
    const sh = (commands: string) =>
      promisify(execFile)('sh', ['-euc', commands], {
        cwd: server.dir,
        env: { ...process.env, ...env, PATH, COPY: copy },
      });

    const config = makeConfig({
      source: ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"', 'reconcile: false'],
    });
    const mapping = 'extends: hubspot/call-log\nperson: { fields: { city: { value: Bonn, write: if_ours } } }\n';
    const system = await openSystem({ redis: server.url, prefix: 'wrapup', config, mapping });
    onTestFinished(() => system.close());
    const { control } = system.sandbox;
    control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
    const [, second] = control.seed({ records: { contacts: [TWIN, TWIN] } }).contacts ?? [];
    const run = async (...args: string[]) => {
      const done = await wrapup(args, system.env);
      expect([args, done.stderr, done.code]).toEqual([args, '', 0]);
      return done.stdout;
    };
    const take = (calls: number, lose = 0) =>
      control.demo({
        ...{ calls, rate: 1_000, pace: 1, lose, secret: SECRET },
        webhook: `http://127.0.0.1:${system.ingress?.port}/webhooks/main/post-call`,
      });
    const ended = () => control.calls().map(({ id }) => `main:${id}`);
    const logs = async () => (await system.crm('calls')).map(({ properties }) => String(properties.wrapup_call_id));
    const written = (count: number) => expect.poll(async () => (await logs()).length).toBe(count);

    // Yesterday: twelve calls are written, one waits for a person, and eight wait for a connection that is paused.
    await Promise.all([system.startIngress(), system.startWorker()]);
    await take(12);
    await system.post(payloadOf('two-people', '+14155550190'));
    await system.settled('two-people');
    await written(12);
    await run('connections', 'pause', 'sales', '--reason', 'maintenance');
    await take(8);
    await sh(commandsOf('Copy'));

    // Since then: those eight are written, the parked one is decided, ten more come of which two webhooks are lost.
    await run('connections', 'resume', 'sales');
    await run('parked', 'choose', 'two-people', '--person', second as string);
    await take(10, 0.2);
    const before = await expect
      .poll(async () => (await logs()).length)
      .toBe(12 + 8 + 1 + 8)
      .then(logs);

    // A colleague changes what those eight wrote: the person, and the log.
    const change = async (object: string, id: string, properties: object) => {
      const url = `${system.sandbox.hubspotUrl}/crm/v3/objects/${object}/${id}`;
      const headers = { authorization: 'Bearer pat-na1-test', 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'PATCH', headers, body: JSON.stringify({ properties }) })).status).toBe(200);
    };
    const colleagues = system.sandbox.records('contacts').filter(({ properties }) => properties.city === 'Bonn');
    expect(colleagues.length).toBeGreaterThan(5);
    for (const { id } of colleagues) await change('contacts', id, { city: 'Cologne' });
    for (const { id } of system.sandbox.records('calls')) await change('calls', id, { hs_call_title: 'Seen' });

    // The machine is lost, and what is restored is yesterday's copy.
    await system.kill();
    await server.kill();
    await sh(commandsOf('Restore'));
    await server.restart();
    expect(await system.store.ledger.count()).toBe(12 + 8 + 1);
    await Promise.all([system.startIngress(), system.startWorker()]);
    expect(await run('connections', 'list')).toContain('maintenance');
    await run('connections', 'resume', 'sales');
    // As the page says, with the calls of a moment ago.
    expect(PAGE).toContain('npm run wrapup -- reconcile\n');
    expect(await run('reconcile', '--grace', '0s')).toContain('main: 30 listed, 20 known, 10 missing, 10 enqueued');
    expect(JSON.parse(await run('parked', 'list', '--json'))).toMatchObject([{ call_id: 'two-people' }]);
    await run('parked', 'choose', 'two-people', '--person', second as string);

    await expect.poll(() => system.store.ledger.count()).toBe(31);
    for (const member of [...ended(), 'main:two-people'])
      expect((await system.settled(member.slice('main:'.length))).deliveries, member).toMatchObject([
        { state: 'written' },
      ]);
    expect((await logs()).sort()).toEqual([...ended(), 'main:two-people'].sort());
    // What was there stayed: nothing was made anew, and no person is there twice.
    expect(await logs()).toEqual(expect.arrayContaining(before));
    // What a colleague changed since the copy stayed, although Redis no longer knows what it had written.
    const cities = new Map(system.sandbox.records('contacts').map(({ id, properties }) => [id, properties.city]));
    for (const { id } of colleagues) expect(cities.get(id)).toBe('Cologne');
    const titles = system.sandbox.records('calls').map(({ properties }) => properties.hs_call_title);
    expect(titles.filter((title) => title === 'Seen')).toHaveLength(before.length);
    const phones = (await system.crm('contacts')).map(({ properties }) => properties.phone);
    expect(phones.filter((phone) => phone !== TWIN.properties.phone).length).toBe(
      new Set(phones.filter((phone) => phone !== TWIN.properties.phone)).size,
    );
  },
  240_000,
);
