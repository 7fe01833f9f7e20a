/** A whole installation that works for hours while things go wrong around it, measured all the while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FAULTS } from '../faults/faults.ts';
import type { Fault } from '../faults/kinds/scene.ts';
import { setupFor } from '../faults/setup.ts';
import { FaultSystem } from '../faults/system.ts';
import { buildShim } from '../power/shim.ts';
import type { Process } from '../support/process.ts';
import { makeRandom, pick, type Random } from '../support/random.ts';
import { latencyReader, readRedis, readVitals, type Sample } from './samples.ts';
import { type Counts, openEvents, type Refused, Traffic } from './traffic.ts';

export interface SoakOptions {
  minutes: number;
  seed: number;
  /** Calls in a second. */
  rate: number;
  /** Bytes that ingress keeps of each request: the control. Default 0. */
  leak: number;
}

/** A fault that happened: seconds since the calls began. */
export interface Happened {
  fault: string;
  from: number;
  to: number;
  /** It did not act as it should. */
  failed?: string;
}

export interface SoakEnd {
  /** Seconds over which it was measured. */
  ran: number;
  counts: Counts;
  acknowledged: number;
  written: number;
  parked: number;
  dead: number;
  broken: string[];
  refused: Refused;
  faults: Happened[];
}

const PRELOAD = resolve(import.meta.dirname, 'preload.mjs');
/** Seconds from sample to sample; of Redis, which looks at each key, less often. */
const everyOf = (minutes: number) => (minutes >= 60 ? { all: 20, redis: 60 } : { all: 5, redis: 15 });
/** Seconds over which a fault strikes, and of quiet after one. */
const STRIKES_S = 15;
const QUIET_S = [15, 45] as const;
const PASSWORD = 'a-password-for-breaking';

/** `retention.ledger` and `.delivered` in seconds: several lives of a call in each run, and more than it takes to settle one. */
export function retentionOf(minutes: number): { ledger_s: number; delivered_s: number } {
  return minutes >= 60 ? { ledger_s: 720, delivered_s: 300 } : { ledger_s: 360, delivered_s: 180 };
}

/**
 * Left out: what takes an installation of its own, and a replica that takes over, after which Redis is another process. Calls
 * that come often or in other bytes come all the time.
 */
export function soakFaults(): Fault[] {
  const canLosePower = typeof buildShim() === 'string';
  return FAULTS.filter(
    ({ name, alone, needsPower, needsRelease, setup }) =>
      !alone && !needsRelease && !setup?.voice && !name.startsWith('redis-failover') && (canLosePower || !needsPower),
  ).filter(({ name }) => name !== 'duplicates' && name !== 'late-revisions');
}

/**
 * @param stop ends it early, in an orderly way
 * @param onSample what is measured, as it comes
 */
export async function runSoak(
  { minutes, seed, rate, leak }: SoakOptions,
  stop: AbortSignal,
  onSample: (sample: Sample) => void,
): Promise<SoakEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-soak-'));
  const random = makeRandom(seed);
  const events = await openEvents(makeRandom(seed + 1));
  const system = await FaultSystem.open({
    ...setupFor([{ workers: 2, bothCrms: true, tls: true }]),
    soak: { endpoint: `${events.endpoint.url}/calls`, ...retentionOf(minutes), preloads: [PRELOAD] },
  });
  try {
    // Accounts that such a run does not use up.
    system.sandbox.control.settings({ hubspot: { limits: { daily: null } }, salesforce: { limits: { daily: null } } });
    const measured = await startMeasured(system, folder, leak);
    const traffic = new Traffic(system, events, { seed, rate });
    const over = AbortSignal.any([stop, AbortSignal.timeout(minutes * 60_000)]);
    const began = performance.now();
    const since = () => (performance.now() - began) / 1_000;
    const faults: Happened[] = [];
    const { text } = await system.store.tokens.add(
      { name: 'soak', role: 'viewer', expires_at: Date.now() + 24 * 3600_000 },
      { name: 'soak' },
    );
    const headers = { page: `Basic ${btoa(`admin:${PASSWORD}`)}`, api: `Bearer ${text}` };
    const working = [
      traffic.calls(),
      traffic.lookAround(`http://127.0.0.1:${measured.dashboard?.port}`, headers),
      sampleAll(system, { minutes, folder, measured, traffic, since, over, onSample }),
      breakThings(system, { random, since, over, faults }),
    ];
    // Whatever ends first by itself has failed.
    await Promise.race([...working, new Promise((ended) => over.addEventListener('abort', ended, { once: true }))]);
    traffic.stop();
    await Promise.all(working);
    await system.heal();
    await traffic.finish();
    const { acknowledged, written, parked, dead, broken } = traffic.verdict;
    const { counts, refused } = traffic;
    return { ran: since(), counts, acknowledged, written, parked, dead, broken, refused, faults };
  } finally {
    await system.close();
    await events.endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One of each kind, which lives from the beginning to the end, and is measured. */
async function startMeasured(system: FaultSystem, folder: string, leak: number): Promise<Record<string, Process>> {
  const env = { WRAPUP_SOAK_VITALS: folder };
  const [ingress, worker, dashboard] = await Promise.all([
    system.spare('ingress', { ...env, WRAPUP_SOAK_LEAK: String(leak) }),
    system.spare('worker', env),
    system.spare('dashboard', { ...env, DASHBOARD_PASSWORD: PASSWORD }),
  ]);
  return { ingress, worker, dashboard };
}

interface Sampling {
  minutes: number;
  folder: string;
  measured: Record<string, Process>;
  traffic: Traffic;
  since(): number;
  over: AbortSignal;
  onSample(sample: Sample): void;
}

async function sampleAll(system: FaultSystem, { minutes, folder, measured, traffic, since, over, onSample }: Sampling) {
  const asked: Record<string, number> = {};
  const readLatencies = latencyReader(system, traffic.sent);
  const every = everyOf(minutes);
  for (let next = 0; !over.aborted; next += every.all) {
    while (since() < next && !over.aborted) await pause(100);
    const at = since();
    const processes: Sample['processes'] = {};
    for (const [name, { pid }] of Object.entries(measured)) {
      const vitals = await readVitals(folder, pid, asked[name] ?? 0);
      if (vitals) asked[name] = vitals.asked;
      processes[name] = vitals;
    }
    const isFull = next % every.redis === 0;
    // It may be away for a while.
    const redis = isFull ? await readRedis(system).catch(() => undefined) : undefined;
    onSample({ at, calls: traffic.counts.calls, processes, redis, latencies: isFull ? readLatencies() : undefined });
  }
}

interface Breaking {
  random: Random;
  since(): number;
  over: AbortSignal;
  faults: Happened[];
}

/** One fault after the other, chosen by the seed, and all repaired in between. */
async function breakThings(system: FaultSystem, { random, since, over, faults }: Breaking): Promise<void> {
  const all = soakFaults();
  for (;;) {
    const quiet = since() + QUIET_S[0] + random() * (QUIET_S[1] - QUIET_S[0]);
    while (since() < quiet && !over.aborted) await pause(100);
    if (over.aborted) return;
    const fault = pick(random, all);
    const from = since();
    const until = async (share: number) => {
      while (since() < from + share * STRIKES_S && !over.aborted) await pause(20);
    };
    const seed = Math.floor(random() * 2 ** 31);
    const happened: Happened = { fault: fault.name, from, to: from };
    try {
      await fault.act({ system, random: makeRandom(seed), until });
      await system.heal();
      await fault.afterwards?.(system);
    } catch (error) {
      happened.failed = String((error as Error).message).slice(0, 300);
      await system.heal();
    }
    faults.push({ ...happened, to: since() });
  }
}
