/**
 * What the release before this one leaves in Redis, as its own processes wrote it: a file that is kept in the repository, so
 * that it stays what that release wrote. `WRAPUP_WRITE_DATA=1 npx vitest run test/upgrade/earlier-data.test.ts` makes it anew.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { samplePayload } from '@wrapup/synthflow';
import { Redis } from 'ioredis';
import { makeConfig } from '../support/config.ts';
import { startRedis } from '../support/redis.ts';
import { openSystem, type TestSystem } from '../support/system.ts';
import { writeDataFile } from './data-file.ts';
import { EARLIER } from './earlier-release.ts';

export const DATA_FILE = join(import.meta.dirname, `data/${EARLIER.release}.json`);

/** What is kept does not end before a test reads it. */
export const CONFIG = makeConfig({
  routes: ['- { name: sales-calls, to: sales, mapping: mapping.yaml, retries: { attempts: 1 } }'],
  rest: 'retention: { ledger: 3650d, delivered: 3650d, stopped: 3650d }\n',
});

export type Payload = ReturnType<typeof samplePayload> & { call: { call_id: string } };

/** Without the sample's e-mail address, which would make all callers one person. */
export const payloadOf = (call_id: string, phone: string, more: object = {}) => {
  const start_time = '2026-11-25T10:00:00+00:00';
  return samplePayload('connected', { call_id, phone, start_time, collected: { email: null }, ...more }) as Payload;
};

/** Calls by what the release left of them. The contact of the first is there already. */
export const LEFT = {
  written: payloadOf('left-written', '+14155550142'),
  /** Its number is two people's. */
  parked: payloadOf('left-parked', '+14155550143'),
  /** The CRM answered 500 to its only attempt. */
  dead: payloadOf('left-dead', '+14155550144'),
  /** Routed while an operator had paused the connection. */
  paused: payloadOf('left-paused', '+14155550145'),
  /** Acknowledged, and read by no worker. */
  unread: payloadOf('left-unread', '+14155550142'),
};
/** The second body of the written call, which contradicts it. */
export const CONTRADICTION = payloadOf('left-written', '+14155550142', { duration: 999 });

/** People who are in the CRM, also when another release goes on with the data: the ids follow from their order. */
export function seedPeople({ sandbox }: TestSystem): void {
  sandbox.control.settings({ hubspot: { search_lag: 0 } });
  const contacts = ['+14155550142', '+14155550143', '+14155550143'].map((phone) => ({ properties: { phone } }));
  sandbox.control.seed({ records: { contacts } });
}

/** Has the processes of another checkout leave all of it, and writes what Redis holds then. */
export async function writeEarlierData(checkout: string): Promise<void> {
  const server = await startRedis();
  const system = await openSystem({ redis: server.url, prefix: 'wrapup', config: CONFIG });
  const redis = new Redis(server.url);
  try {
    seedPeople(system);
    await system.startIngress({}, checkout);
    const worker = await system.startWorker({}, checkout);
    await leave(system, LEFT.written);
    await leave(system, CONTRADICTION);
    await leave(system, LEFT.parked);
    system.sandbox.control.fault({ api: 'hubspot', kind: 'status', status: 500, times: null });
    await leave(system, LEFT.dead);
    system.sandbox.control.clearFaults();
    const cli = (...args: string[]) =>
      promisify(execFile)(process.execPath, ['apps/cli/src/main.ts', ...args], {
        cwd: checkout,
        env: { PATH: process.env.PATH ?? '', ...system.env },
      });
    await cli('connections', 'pause', 'sales', '--reason', 'the upgrade');
    await system.post(LEFT.paused);
    while (!(await system.store.ledger.read('main', LEFT.paused.call.call_id))?.routed)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await worker.stop();
    await system.post(LEFT.unread);
    await system.stop();
    await writeDataFile(redis, DATA_FILE);
  } finally {
    redis.disconnect();
    await system.close();
    await server.stop();
  }
}

async function leave(system: TestSystem, payload: Payload): Promise<void> {
  await system.post(payload);
  await system.settled(payload.call.call_id);
}
