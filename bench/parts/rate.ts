/**
 * Calls that come in as calls do, each at a time of its own, so many a day on average: how long they take from the webhook to
 * the last record, how many requests to the CRM they share, and what the processes use. Half of the callers are in the CRM,
 * every call leaves a task; HubSpot with the limits of a Professional account and 40 ms for each answer.
 */

import { phoneOf } from '../../test/support/phone.ts';
import type { Process } from '../../test/support/process.ts';
import { cpuSeconds } from '../../test/support/process-time.ts';
import { makeRandom } from '../../test/support/random.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { makeCall } from '../support/calls.ts';
import { percentile } from '../support/statistics.ts';
import { comesTrue, pause } from '../support/watch.ts';

export interface RateFigures {
  /** Length of each run, s. */
  seconds: number;
  rows: RateRow[];
}

export interface RateRow {
  perDay: number;
  calls: number;
  /** Webhook to last record, ms. */
  p50: number;
  p99: number;
  p999: number;
  worst: number;
  requestsPerCall: number;
  /** Share of one core, per cent. */
  cpu: { ingress: number; worker: number; redis: number };
  /** MiB of the worker at the end. */
  memory: number;
}

const DAY_S = 86_400;
const INDEXED = 2_500;

export async function measureRates(perDays: readonly number[], seconds: number): Promise<RateFigures> {
  const rows: RateRow[] = [];
  for (const perDay of perDays) rows.push(await measureRate(perDay, seconds));
  return { seconds, rows };
}

async function measureRate(perDay: number, seconds: number): Promise<RateRow> {
  const installation = await openInstallation({ worker: false });
  try {
    const worker = await installation.startWorker();
    const { sandbox } = installation;
    await send(installation, 10, 2, 90_000);
    const calls = Math.max(10, Math.round((perDay / DAY_S) * seconds));
    const contacts = Array.from({ length: Math.ceil(calls / 2) }, (_, n) => ({
      properties: { phone: phoneOf(2 * n), firstname: 'Known' },
    }));
    sandbox.control.seed({ records: { contacts } });
    await pause(INDEXED);
    const requests = sandbox.control.requests().total;
    const used = cpuOf(installation, worker);
    const began = performance.now();
    const sent = await send(installation, calls, seconds, 0);
    const elapsed = (performance.now() - began) / 1000;
    const now = cpuOf(installation, worker);
    const times = [...sent].map(([id, at]) => doneAt(sandbox, id) - at);
    const share = (name: keyof typeof now) => (100 * (now[name] - used[name])) / elapsed;
    return {
      perDay,
      calls,
      p50: percentile(times, 50),
      p99: percentile(times, 99),
      p999: percentile(times, 99.9),
      worst: Math.max(...times),
      requestsPerCall: (sandbox.control.requests().total - requests) / calls,
      cpu: { ingress: share('ingress'), worker: share('worker'), redis: share('redis') },
      memory: await installation.memory(),
    };
  } finally {
    await installation.close();
  }
}

/**
 * Sends calls at independent moments, over so many seconds, and waits until each has left its task.
 * @param first number of the first caller
 * @returns when each was sent, epoch ms by call id
 */
async function send(installation: Installation, calls: number, seconds: number, first: number) {
  const { post, sandbox } = installation;
  const random = makeRandom(calls);
  const moments = Array.from({ length: calls }, () => random() * seconds * 1000).sort((a, b) => a - b);
  const sent = new Map<string, number>();
  const began = performance.now();
  const wanted = sandbox.records('tasks').length + calls;
  const posts = moments.map(async (moment, n) => {
    await pause(Math.max(0, moment - (performance.now() - began)));
    const payload = makeCall({ phone: phoneOf(first + n) });
    sent.set(payload.call.call_id, Date.now());
    await post(payload);
  });
  await Promise.all(posts);
  await comesTrue(() => sandbox.records('tasks').length >= wanted, 120_000, 20);
  return sent;
}

/** Epoch ms when the task of a call was made. */
function doneAt(sandbox: Installation['sandbox'], callId: string): number {
  const made = sandbox
    .journal()
    .find(
      ({ effect, object, unique }) =>
        effect === 'created' && object === 'tasks' && unique?.wrapup_key?.includes(callId),
    );
  return Date.parse(made?.at ?? '');
}

function cpuOf({ ingress, redis }: Installation, worker: Process) {
  return { ingress: cpuSeconds(ingress.pid), worker: cpuSeconds(worker.pid), redis: cpuSeconds(redis.pid) };
}
