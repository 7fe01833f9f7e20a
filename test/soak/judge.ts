/**
 * What may not rise, and by how much at most before it counts: the rule by which a soak is judged. A figure is flat where the
 * upper bound of its slope (99 %) is below what is allowed, so that a run which is too short or too noisy to tell shows nothing.
 * It rises where the lower bound is above zero and the slope is above what is allowed. Else it is not shown.
 */
import type { Sample, Vitals } from './samples.ts';
import { type Point, type Slope, slopeOf } from './slope.ts';

export type SeriesVerdict = 'flat' | 'rises' | 'not shown';

export interface Series {
  /** `worker: heap`. */
  name: string;
  unit: 'MB' | 'kB' | 'ms' | '';
  /** Hours since the calls began, and the figure in its unit. */
  points: Point[];
  /** Rise in an hour that is allowed, in its unit; absent where the machine's other work decides, and nothing is judged. */
  allowed?: number;
}

export interface Judged extends Omit<Series, 'points'> {
  slope?: Slope | undefined;
  verdict?: SeriesVerdict;
}

/** Bytes of a call that may stay, by what is measured. A collector leaves some; what a call holds is some kilobytes. */
const HEAP_PER_CALL = 256;
const RSS_PER_CALL = 1024;
/** Handles that may stay of a call. */
const HANDLES_PER_CALL = 1 / 1000;
/** Shares of what is there that an hour may add. */
const REDIS_SHARE = 0.03;
const CPU_SHARE = 0.15;

const MB = 1e6;
const HOUR_S = 3600;

export function seriesOf(samples: readonly Sample[]): Series[] {
  const calls_per_hour = rateOf(samples);
  const names = [...new Set(samples.flatMap(({ processes }) => Object.keys(processes)))];
  const of = (read: (sample: Sample) => number | undefined): Point[] =>
    samples.flatMap((sample) => {
      const value = read(sample);
      return value === undefined || Number.isNaN(value) ? [] : [[sample.at / HOUR_S, value] as const];
    });
  const ofProcess = (name: string, read: (vitals: Vitals) => number) =>
    of(({ processes }) => {
      const vitals = processes[name];
      return vitals && read(vitals);
    });
  const share = (points: Point[], part: number) => part * middleOf(points);
  const perCall = of(({ redis }) => redis && sum(redis.bytes) / redis.calls / 1000);
  const latency = of(({ latencies }) => latencies?.p50);
  return [
    ...names.flatMap((name): Series[] => {
      const cpu = cpuPerCall(samples, name);
      return [
        {
          ...{ name: `${name}: heap after a collection`, unit: 'MB' as const },
          points: ofProcess(name, ({ heap }) => heap / MB),
          allowed: (HEAP_PER_CALL * calls_per_hour) / MB,
        },
        {
          ...{ name: `${name}: resident memory`, unit: 'MB' as const },
          points: ofProcess(name, ({ rss }) => rss / MB),
          allowed: (RSS_PER_CALL * calls_per_hour) / MB,
        },
        {
          ...{ name: `${name}: file descriptors`, unit: '' as const },
          points: ofProcess(name, ({ fds }) => fds),
          allowed: HANDLES_PER_CALL * calls_per_hour,
        },
        {
          ...{ name: `${name}: timers, sockets and requests`, unit: '' as const },
          points: ofProcess(name, ({ resources }) => resources),
          allowed: HANDLES_PER_CALL * calls_per_hour,
        },
        {
          ...{ name: `${name}: processor time of a call`, unit: 'ms' as const },
          points: cpu,
          allowed: share(cpu, CPU_SHARE),
        },
        { name: `${name}: event-loop delay, 99 of 100`, unit: 'ms', points: ofProcess(name, ({ lag_p99 }) => lag_p99) },
      ];
    }),
    {
      ...{ name: 'Redis: bytes of keys by call in the ledger', unit: 'kB' },
      points: perCall,
      allowed: share(perCall, REDIS_SHARE),
    },
    {
      ...{ name: 'Redis: keys', unit: '' },
      points: of(({ redis }) => redis?.keys),
      allowed: share(
        of(({ redis }) => redis?.keys),
        REDIS_SHARE,
      ),
    },
    {
      ...{ name: 'Redis: connections', unit: '' },
      points: of(({ redis }) => redis?.clients),
      allowed: HANDLES_PER_CALL * calls_per_hour,
    },
    { name: 'Webhook to call log, middle', unit: 'ms', points: latency },
    { name: 'Webhook to call log, 95 of 100', unit: 'ms', points: of(({ latencies }) => latencies?.p95) },
  ];
}

/** @param warm seconds of the beginning that are left out: what is loaded, compiled and kept for the first time */
export function judge(samples: readonly Sample[], warm: number): Judged[] {
  return seriesOf(samples.filter(({ at }) => at >= warm)).map(({ points, ...series }) => {
    const slope = slopeOf(points);
    return { ...series, slope, ...(series.allowed !== undefined && { verdict: judgeSlope(slope, series.allowed) }) };
  });
}

export function judgeSlope(slope: Slope | undefined, allowed: number): SeriesVerdict {
  if (slope && slope.high <= allowed) return 'flat';
  return slope && slope.low > 0 && slope.slope > allowed ? 'rises' : 'not shown';
}

/** Calls in an hour. */
function rateOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at === first.at) return 0;
  return ((last.calls - first.calls) * HOUR_S) / (last.at - first.at);
}

/** Samples between which calls and processor time are compared: what a single one takes says little. */
const CPU_SPAN = 3;

function cpuPerCall(samples: readonly Sample[], name: string): Point[] {
  const all = samples.flatMap(({ at, calls, processes }) => {
    const vitals = processes[name];
    return vitals ? [{ at, calls, cpu: vitals.cpu }] : [];
  });
  return all.flatMap((to, n) => {
    const from = n % CPU_SPAN === 0 ? all[n - CPU_SPAN] : undefined;
    const calls = from ? to.calls - from.calls : 0;
    return from && calls > 0 ? [[to.at / HOUR_S, (to.cpu - from.cpu) / calls] as const] : [];
  });
}

function middleOf(points: readonly Point[]): number {
  const values = points.map(([, y]) => y).sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

function sum(figures: Record<string, number>): number {
  return Object.values(figures).reduce((total, one) => total + one, 0);
}
