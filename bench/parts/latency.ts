/**
 * From the moment a webhook is sent to the moment the CRM has the last record, while nothing else happens; and of a rush of new
 * callers. 40 ms for each answer of the CRM. Redis is on loopback, and once more a network away, which loopback hides. A
 * record's time is the sandbox's own.
 */
import { Redis } from 'ioredis';
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { makeCall, type Payload } from '../support/calls.ts';
import { percentile } from '../support/statistics.ts';
import { comesTrue, eachOf, pause } from '../support/watch.ts';

interface Times {
  /** ms */
  p50: number;
  p99: number;
}

export interface LatencyFigures {
  /** Of each kind. */
  calls: number;
  rows: { what: string; of: { loopback: Times; away: Times; baseline?: Times } }[];
  /** Seconds until the last record of so many new callers at once. */
  rush: { calls: number; loopback: number; away: number };
  /** Median round trip to Redis, ms. */
  redis: { loopback: number; away: number };
}

const SETTINGS = { hubspot: { latency: 40 } };
/** No tasks: only the person and the call log. */
const NO_TASK = 'extends: hubspot/call-log\ntasks: []\n';
const INDEXED = 2_500;
const RUSH = 100;
/** Whole ms each way; with the timers' own delay two to three ms a round trip, as of a hosted Redis. */
export const AWAY_MS = 1;

interface Side {
  sandbox: Installation['sandbox'];
  post(payload: Payload): Promise<void>;
}

export async function measureLatency(calls: number): Promise<LatencyFigures> {
  const loopback = await measureAt(0, calls);
  const away = await measureAt(AWAY_MS, calls);
  const baseline = await measureBaseline(calls);
  return {
    calls,
    rows: Object.entries(loopback.times).map(([what, times]) => {
      const usual = baseline[what];
      const further = away.times[what] ?? [];
      return { what, of: { loopback: sum(times), away: sum(further), ...(usual ? { baseline: sum(usual) } : {}) } };
    }),
    rush: { calls: RUSH, loopback: loopback.rush, away: away.rush },
    redis: { loopback: loopback.redis, away: away.redis },
  };
}

const sum = (times: number[]): Times => ({ p50: percentile(times, 50), p99: percentile(times, 99) });

/**
 * @param redisAway whole ms each way
 * @param checkout of another version
 */
export async function measureAt(redisAway: number, calls: number, checkout?: string) {
  const times: Record<string, number[]> = {};
  let rush = 0;
  let redis = 0;
  for (const [mapping, records] of [
    [NO_TASK, ['calls']],
    [undefined, ['calls', 'tasks']],
  ] as const) {
    const installation = await openInstallation({
      settings: SETTINGS,
      redisAway,
      ...(mapping ? { mapping } : {}),
      ...(checkout ? { checkout } : {}),
    });
    try {
      const task = mapping === undefined ? 'with a task' : 'no task';
      const known = await seedKnown(installation, calls + 5);
      for (const phone of known.slice(calls)) await timeOf(installation, phone, records);
      for (const phone of known.slice(0, calls)) {
        add(times, `known caller, ${task}`, await timeOf(installation, phone, records));
        // Remembered are those whom Wrapup has given the number that they are found by.
        const stranger = phoneOf(20_000 + known.indexOf(phone));
        add(times, `new caller, ${task}`, await timeOf(installation, stranger, records));
        add(times, `remembered caller, ${task}`, await timeOf(installation, stranger, records));
      }
      if (mapping !== undefined) continue;
      rush = await timeRush(installation);
      redis = await roundTripOf(installation.redisUrl);
    } finally {
      await installation.close();
    }
  }
  return { times, rush, redis };
}

async function measureBaseline(calls: number): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (const [what, env, records] of [
    ['known caller, no task', { BASELINE_NO_TASK: '1' }, ['calls']],
    ['known caller, with a task', {}, ['calls', 'tasks']],
  ] as const) {
    const baseline = await openBaseline(SETTINGS, env);
    try {
      const known = await seedKnown(baseline, calls + 5);
      for (const phone of known.slice(calls)) await timeOf(baseline, phone, records);
      for (const phone of known.slice(0, calls)) add(times, what, await timeOf(baseline, phone, records));
    } finally {
      await baseline.close();
    }
  }
  return times;
}

function add(times: Record<string, number[]>, what: string, ms: number): void {
  const all = times[what] ?? [];
  times[what] = [...all, ms];
}

async function seedKnown({ sandbox }: Pick<Side, 'sandbox'>, count: number): Promise<string[]> {
  const phones = Array.from({ length: count }, (_, n) => phoneOf(n));
  const contacts = phones.map((phone) => ({ properties: { phone, firstname: 'Known' } }));
  sandbox.control.seed({ records: { contacts } });
  await pause(INDEXED);
  return phones;
}

/** @param records objects of which the call makes one record each. @returns ms until the last of them is there */
async function timeOf({ sandbox, post }: Side, phone: string, records: readonly string[]): Promise<number> {
  const payload = makeCall({ phone });
  const before = records.map((object) => sandbox.records(object).length);
  const sent = Date.now();
  await post(payload);
  const isWhole = () => records.every((object, n) => sandbox.records(object).length > (before[n] ?? 0));
  await comesTrue(isWhole, 30_000, 10);
  const made = lastMade(sandbox, records);
  // Everything of it is written before the next is sent: idle means idle.
  await pause(250);
  return made - sent;
}

/** Seconds from the first webhook to the last record of callers that the CRM does not know. */
async function timeRush({ sandbox, post }: Side): Promise<number> {
  const payloads = Array.from({ length: RUSH }, (_, n) => makeCall({ phone: phoneOf(30_000 + n) }));
  const wanted = sandbox.records('tasks').length + RUSH;
  const sent = Date.now();
  await eachOf(payloads, 50, post);
  await comesTrue(() => sandbox.records('tasks').length >= wanted, 60_000, 10);
  return (lastMade(sandbox, ['calls', 'tasks']) - sent) / 1000;
}

/** Epoch ms when the last record of these objects was made. */
function lastMade(sandbox: Side['sandbox'], records: readonly string[]): number {
  const made = sandbox.journal().findLast(({ effect, object }) => effect === 'created' && records.includes(object));
  return Date.parse(made?.at ?? '');
}

async function roundTripOf(url: string): Promise<number> {
  const client = new Redis(url);
  try {
    const times: number[] = [];
    for (let n = 0; n < 200; n += 1) {
      const began = performance.now();
      await client.ping();
      times.push(performance.now() - began);
    }
    return percentile(times, 50);
  } finally {
    client.disconnect();
  }
}
