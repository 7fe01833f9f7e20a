/**
 * From the moment a webhook is sent to the moment the CRM has the call log, while nothing else happens: a known caller, no
 * task, 40 ms for each answer of the CRM. The record's time is the sandbox's own.
 */
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { openInstallation } from '../installation.ts';
import { makeCall, type Payload } from '../support/calls.ts';
import { percentile } from '../support/statistics.ts';
import { comesTrue, pause } from '../support/watch.ts';

export interface LatencyFigures {
  calls: number;
  /** ms */
  of: Record<'wrapup' | 'wrapup, caller written to of late' | 'baseline', { p50: number; p99: number }>;
}

const SETTINGS = { hubspot: { latency: 40 } };
/** No tasks: only the person and the call log. */
const MAPPING = 'extends: hubspot/call-log\ntasks: []\n';
const INDEXED = 2_500;

interface Side {
  sandbox: Awaited<ReturnType<typeof openInstallation>>['sandbox'];
  post(payload: Payload): Promise<void>;
}

export async function measureLatency(calls: number): Promise<LatencyFigures> {
  const ours = await openInstallation({ settings: SETTINGS, mapping: MAPPING });
  const theirs = await openBaseline(SETTINGS, { BASELINE_NO_TASK: '1' });
  try {
    const phones = Array.from({ length: calls + 5 }, (_, n) => phoneOf(n));
    for (const { sandbox } of [ours, theirs]) {
      sandbox.control.seed({
        records: { contacts: phones.map((phone) => ({ properties: { phone, firstname: 'Known' } })) },
      });
    }
    await pause(INDEXED);
    for (const phone of phones.slice(calls)) for (const side of [ours, theirs]) await timeOf(side, phone);
    const times = { wrapup: [] as number[], again: [] as number[], baseline: [] as number[] };
    for (const phone of phones.slice(0, calls)) {
      times.wrapup.push(await timeOf(ours, phone));
      times.again.push(await timeOf(ours, phone));
      times.baseline.push(await timeOf(theirs, phone));
    }
    const summary = (all: number[]) => ({ p50: percentile(all, 50), p99: percentile(all, 99) });
    return {
      calls,
      of: {
        wrapup: summary(times.wrapup),
        'wrapup, caller written to of late': summary(times.again),
        baseline: summary(times.baseline),
      },
    };
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

async function timeOf({ sandbox, post }: Side, phone: string): Promise<number> {
  const payload = makeCall({ phone });
  const before = sandbox.records('calls').length;
  const sent = Date.now();
  await post(payload);
  await comesTrue(() => sandbox.records('calls').length > before, 30_000, 10);
  const made = sandbox.journal().findLast(({ effect, object }) => effect === 'created' && object === 'calls');
  // Everything of it is written before the next is sent: idle means idle.
  await pause(250);
  return Date.parse(made?.at ?? '') - sent;
}
