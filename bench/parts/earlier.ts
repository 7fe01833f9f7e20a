/**
 * The same figures of two versions from one run, the one after the other for each figure: of another checkout, whose processes
 * are started from its own sources, and of this one. The load, Redis and the CRM are the same.
 */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { percentile } from '../support/statistics.ts';
import { drainToEndpoint } from './drain.ts';
import { AWAY_MS, measureAt } from './latency.ts';
import { measureThroughIngress } from './requests-through-ingress.ts';

export interface EarlierFigures {
  /** Commit of the other checkout, abbreviated. */
  commit: string;
  rows: EarlierRow[];
}

export interface EarlierRow {
  what: string;
  /** `ms`, `s`, `requests`, `ms of CPU`. */
  unit: string;
  earlier: number;
  now: number;
  /** What is aimed at, in the same unit; absent where nothing is. */
  goal?: number;
}

const GOALS: Record<string, number> = {
  'known caller, no task': 95,
  'known caller, with a task': 100,
  'new caller, with a task': 148,
  'remembered caller, with a task': 60,
  'known caller, with a task, Redis away': 125,
  'new caller, with a task, Redis away': 173,
  'remembered caller, with a task, Redis away': 85,
  '100 new callers at once, Redis away': 0.9,
  '10 calls, known': 4,
  '10 calls, remembered': 3,
  '10 calls, repeat': 5,
  'drain, worker': 0.7,
  'drain, Redis': 0.36,
};

type Figures = Map<string, { unit: string; value: number }>;

/**
 * @param checkout folder of the other version, installed
 * @param calls of each kind, for times
 * @param backlog calls of the drain
 */
export async function measureEarlier(checkout: string, calls: number, backlog: number): Promise<EarlierFigures> {
  const folder = resolve(checkout);
  const commit = execFileSync('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const rows: EarlierRow[] = [];
  for (const measure of [
    (of?: string) => timesOf(calls, 0, of),
    (of?: string) => timesOf(calls, AWAY_MS, of),
    requestsOf,
    (of?: string) => drainOf(backlog, of),
  ]) {
    const earlier = await measure(folder);
    const now = await measure();
    for (const [what, { unit, value }] of now) {
      const goal = GOALS[what];
      const before = earlier.get(what)?.value ?? Number.NaN;
      rows.push({ what, unit, earlier: before, now: value, ...(goal === undefined ? {} : { goal }) });
    }
  }
  return { commit, rows };
}

async function timesOf(calls: number, redisAway: number, checkout?: string): Promise<Figures> {
  const { times, rush } = await measureAt(redisAway, calls, checkout);
  const away = redisAway > 0 ? ', Redis away' : '';
  return new Map([
    ...Object.entries(times).map(
      ([what, all]) => [`${what}${away}`, { unit: 'ms', value: percentile(all, 50) }] as const,
    ),
    [`100 new callers at once${away}`, { unit: 's', value: rush }],
  ]);
}

async function requestsOf(checkout?: string): Promise<Figures> {
  const figures = await measureThroughIngress([10], checkout);
  return new Map(
    figures.map(({ calls, scenario, requests }) => [
      `${calls} calls, ${scenario}`,
      { unit: 'requests', value: requests },
    ]),
  );
}

/** CPU of the worker and of Redis for each call of a backlog that goes to an HTTP endpoint which answers at once. */
async function drainOf(backlog: number, checkout?: string): Promise<Figures> {
  const { worker, redis } = await drainToEndpoint(backlog, checkout);
  const unit = 'ms of CPU';
  return new Map([
    ['drain, worker', { unit, value: worker }],
    ['drain, Redis', { unit, value: redis }],
  ]);
}
