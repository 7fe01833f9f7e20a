/**
 * Bytes that Redis keeps of a call whose transcript does not repeat itself, once it is delivered: Wrapup's payload,
 * ledger, sets and what BullMQ keeps of finished jobs, beside the baseline's finished jobs.
 */
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { openInstallation } from '../installation.ts';
import { makeCall } from '../support/calls.ts';
import { eachOf, pause, redisBytes } from '../support/watch.ts';

export interface MemoryFigures {
  calls: number;
  /** Bytes of one body. */
  body: number;
  /** Bytes in Redis of one call. */
  wrapup: number;
  baseline: number;
  /** What is allowed: half of the body and 4 kB. */
  allowed: number;
}

/** Finished jobs that stay, at most, for those who look at the queues. */
const JOBS_KEPT = 1_000;
/** No limits: what is measured is what stays. */
const SETTINGS = { hubspot: { limits: { ten_secondly: 1e6, daily: 1e9, search_per_second: 1e6 } } };

export async function measureMemory(calls: number, bytes: number): Promise<MemoryFigures> {
  const payloads = (first: number) =>
    Array.from({ length: calls }, (_, n) => makeCall({ phone: phoneOf(first + n), bytes, seed: first + n + 1 }));
  const ours = await openInstallation({ settings: SETTINGS });
  let wrapup: number;
  try {
    // As many as finished jobs are kept: from here on each new one takes the place of an old one.
    const first = Array.from({ length: JOBS_KEPT }, (_, n) => makeCall({ phone: phoneOf(n), bytes, seed: n + 1 }));
    await eachOf(first, 20, ours.post);
    await ours.written(first.map(({ call }) => call.call_id));
    const before = await redisBytes(ours.redis.url);
    const all = payloads(10_000);
    await eachOf(all, 20, ours.post);
    await ours.written(all.map(({ call }) => call.call_id));
    await pause(2_000);
    wrapup = ((await redisBytes(ours.redis.url)) - before) / calls;
  } finally {
    await ours.close();
  }
  const theirs = await openBaseline(SETTINGS, { BASELINE_UNLIMITED: '1' });
  try {
    const before = await redisBytes(theirs.redis.url);
    await eachOf(payloads(20_000), 20, theirs.post);
    await theirs.done(calls);
    await pause(2_000);
    const baseline = ((await redisBytes(theirs.redis.url)) - before) / calls;
    return { calls, body: bytes, wrapup, baseline, allowed: bytes / 2 + 4096 };
  } finally {
    await theirs.close();
  }
}
