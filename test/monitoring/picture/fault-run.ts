/**
 * Six minutes of an installation of real processes to which things happen, watched by Prometheus with the rules of
 * deploy/monitoring. A minute of the rules is a second of the run: their windows and waits are a sixtieth, what they compare is not.
 */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '@wrapup/sandbox';
import { startRedisServer } from '../../../scripts/local-redis.mjs';
import { freePort } from '../../../scripts/ports.mjs';
import { makeConfig, postSigned, SALES } from '../../support/config.ts';
import { phoneOf } from '../../support/phone.ts';
import { type Process, startProcess } from '../../support/process.ts';
import { sampleOf } from '../../support/sample-caller.ts';
import { listenTiny } from '../../support/tiny-server.ts';
import { ALERTS_FILE } from '../evaluate.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

/** What happened, and when: seconds since the run began. */
export interface Happening {
  at: number;
  what: string;
}

const SECRET = 'a-webhook-secret-for-a-picture';
/** Of a call's variables, which fit neither property: one is left out, the other stops the call. */
const MAPPING = `
extends: hubspot/call-log
person: { fields: { numemployees: { from: vars.employees, transform: number } } }
`;
/** Between two calls, ms. */
const PACE = 400;

/** A sixtieth of each duration of a rule; where seconds are subtracted from now, of those. */
export function hasten(rules: string): string {
  const seconds: Record<string, number> = { m: 1, h: 60, d: 24 * 60 };
  return rules
    .replace(/\b(\d+)([mhd])\b/g, (_, count, unit) => `${Number(count) * (seconds[unit] ?? 0)}s`)
    .replace(
      /(process_start_time_seconds > time\(\) - )(\d+)/g,
      (_, before, count) => `${before}${Number(count) / 60}`,
    );
}

/** @param look is given Prometheus when all is over, while it still answers */
export async function runFaults<T>(
  look: (prometheus: Prometheus, from: number, to: number, happened: readonly Happening[]) => Promise<T>,
): Promise<T> {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  try {
    const folder = mkdtempSync(join(tmpdir(), 'wrapup-picture-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const redis = await startRedisServer({
      ...{ dir: join(folder, 'redis'), appendonly: true, args: ['--maxmemory', '256mb'] },
    });
    closers.push(() => redis.stop());
    const sandbox = await startSandbox({ port: 0, provisioned: true, settings: { hubspot: { latency: 40 } } });
    closers.push(() => sandbox.close());
    const endpoint = await listenTiny((_body, _request, response) => response.writeHead(200).end('{}'));
    closers.push(() => endpoint.close());
    const ops = `ops: { kind: http, url: "${endpoint.url}", allow_private: true }`;
    const route =
      '- { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { attempts: 3, base: 1s, cap: 5s } }';
    const config = makeConfig({ connections: [SALES, ops], routes: [route], rest: 'alerts: { to: ops }' });
    writeFileSync(join(folder, 'wrapup.yaml'), config);
    writeFileSync(join(folder, 'mapping.yaml'), MAPPING);
    const ingressPort = await freePort();
    const env = {
      ...{ REDIS_URL: redis.url, WRAPUP_CONFIG: join(folder, 'wrapup.yaml'), SYNTHFLOW_WEBHOOK_SECRET: SECRET },
      ...{ HUBSPOT_ACCESS_TOKEN: 'pat-na1-picture', HUBSPOT_BASE_URL: sandbox.hubspotUrl },
    };
    const running = new Map<string, Process>();
    const targets = join(folder, 'targets');
    mkdirSync(targets);
    const note = () => {
      const groups = [...running].map(([name, { port }]) => ({
        targets: [`127.0.0.1:${port}`],
        labels: { job: name.split('-')[0], instance: name },
      }));
      // In one step: Prometheus reads it as soon as it changes.
      writeFileSync(join(targets, 'targets.new'), JSON.stringify(groups));
      renameSync(join(targets, 'targets.new'), join(targets, 'targets.json'));
    };
    const start = async (name: string, app: 'ingress' | 'worker' | 'dashboard', more = {}) => {
      running.set(name, await startProcess(app, { ...env, ...more }));
      note();
    };
    closers.push(() => Promise.all([...running.values()].map((one) => one.kill())));
    const startIngress = () => start('ingress-1', 'ingress', { INGRESS_PORT: String(ingressPort) });
    await Promise.all([
      startIngress(),
      start('worker-1', 'worker'),
      start('worker-2', 'worker'),
      start('dashboard-1', 'dashboard'),
    ]);
    const rules = join(folder, 'alerts.yml');
    writeFileSync(rules, hasten(readFileSync(ALERTS_FILE, 'utf8')));
    const prometheus = await startPrometheus(join(folder, 'prometheus'), { rules, targets: join(targets, '*.json') });
    closers.push(() => prometheus.stop());

    // It has to have seen each process before it can miss one.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const from = Date.now() / 1000;
    const happened: Happening[] = [];
    let number = 0;
    const sending = new Set<Promise<unknown>>();
    const send = () => {
      number += 1;
      const vars = number % 7 === 0 ? { employees: 'about 1,000,000,000,000,000,000,000 people' } : {};
      const payload = sampleOf(number % 5 === 0 ? 'voicemail' : 'connected', phoneOf(number % 60), vars);
      const sent = postSigned(ingressPort, payload, SECRET, { within: 10_000 }).then(
        ({ body }) => body?.cancel(),
        () => {},
      );
      sending.add(sent);
      void sent.finally(() => sending.delete(sent));
    };
    const pace = setInterval(send, PACE);
    closers.push(() => clearInterval(pace));
    const until = (seconds: number) =>
      new Promise((resolve) => setTimeout(resolve, Math.max(0, (from + seconds) * 1000 - Date.now())));
    const say = (what: string) => {
      const at = Math.round(Date.now() / 1000 - from);
      happened.push({ at, what });
      console.log(`${at} s: ${what}`);
    };
    const { control } = sandbox;
    const hubspot = { api: 'hubspot', times: null } as const;

    await until(40);
    say('The CRM takes six seconds for an answer');
    control.settings({ hubspot: { latency: 6_000 } });
    await until(80);
    say('The CRM is as quick as before');
    control.settings({ hubspot: { latency: 40 } });

    await until(110);
    say('The CRM refuses the token: the connection pauses');
    control.fault({ ...hubspot, kind: 'unauthorized' });
    await until(135);
    say('The token is taken again');
    control.clearFaults();

    await until(185);
    say('The CRM answers every second request with 500: the connection pauses');
    for (let after = 0; after < 400; after += 2)
      control.fault({ ...hubspot, kind: 'status', status: 500, times: 1, after });
    await until(210);
    control.clearFaults();
    say('The CRM is well; a worker is killed');
    await running.get('worker-2')?.kill();
    running.delete('worker-2');
    note();
    await until(225);
    say('The worker is started again');
    await start('worker-2', 'worker');

    await until(240);
    say('Redis hangs: webhooks are refused with 503');
    process.kill(redis.pid, 'SIGSTOP');
    await until(255);
    say('Redis goes on');
    process.kill(redis.pid, 'SIGCONT');

    await until(285);
    say('Ingress is killed');
    await running.get('ingress-1')?.kill();
    running.delete('ingress-1');
    note();
    await until(295);
    say('Ingress is started again');
    await startIngress();

    await until(350);
    clearInterval(pace);
    await Promise.all(sending);
    await until(360);
    return await look(prometheus, from, Date.now() / 1000, happened);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
