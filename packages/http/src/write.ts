import {
  type Context,
  Failure,
  omissionsOf,
  parkedBy,
  type ReceiptNote,
  type RecordReceipt,
  type WriteOutcome,
} from '@wrapup/destination';
import type { Plan, RecordPlan } from '@wrapup/mapping';
import type { EndpointExchange } from './client/exchange.ts';
import type { HttpSettings } from './endpoint/settings.ts';
import { closedBy } from './errors/closed.ts';
import { type Event, eventOf, sendEvent } from './send-event.ts';

/**
 * Sends the events of plans: all plans at once, the events of one plan in their order, the next only when the one before
 * was taken. At least once: what was sent and not noted is sent again, under the same webhook-id.
 */
export async function writePlans(
  exchange: EndpointExchange,
  settings: HttpSettings,
  plans: Plan[],
  ctx: Context,
): Promise<WriteOutcome[]> {
  const closed = await closedBy(ctx, settings);
  if (closed) return plans.map(() => ({ ok: false, failure: closed }));
  const flights = new Map<string, Flight[]>();
  const flown = plans.map((plan) => {
    const name = `${plan.route} ${plan.key}`;
    const others = flights.get(name) ?? [];
    // The same delivery twice in a batch is sent once.
    let flight = others.find((one) => saysTheSame(one.plan, plan));
    if (!flight) {
      flight = { plan, outcome: writePlan(exchange, settings, plan, ctx), sharers: 0 };
      flights.set(name, [...others, flight]);
    }
    flight.sharers += 1;
    return flight;
  });
  return Promise.all(flown.map(async ({ outcome, sharers }) => share(await outcome, sharers)));
}

interface Flight {
  plan: Plan;
  outcome: Promise<WriteOutcome>;
  /** How many plans of the batch it is for. */
  sharers: number;
}

function saysTheSame(one: Plan, other: Plan): boolean {
  const said = ({ revision, mapping, records, resume }: Plan) =>
    JSON.stringify([revision, mapping.hash, records, resume]);
  return said(one) === said(other);
}

function share(outcome: WriteOutcome, sharers: number): WriteOutcome {
  if (!outcome.ok || sharers === 1) return outcome;
  return { ...outcome, receipt: { ...outcome.receipt, requests: outcome.receipt.requests / sharers } };
}

/** Never rejects: whatever goes wrong is an outcome. */
async function writePlan(
  exchange: EndpointExchange,
  settings: HttpSettings,
  plan: Plan,
  ctx: Context,
): Promise<WriteOutcome> {
  const records: RecordReceipt[] = [];
  const notes: ReceiptNote[] = omissionsOf(plan);
  let requests = 0;
  try {
    const waits = parkedBy(plan);
    if (waits) throw waits;
    // A mapping that makes no body for the last event must not be found out after the first was sent.
    const steps = plan.records.map((record) => taken(plan, record) ?? eventOf(plan, record));
    for (const step of steps) {
      if (!('bytes' in step)) {
        records.push(step);
        continue;
      }
      const sent = await sendCounted(step);
      records.push(sent.receipt);
      notes.push(sent.note);
    }
    return { ok: true, receipt: { records, requests, notes } };
  } catch (thrown) {
    const done = Object.fromEntries(records.map(({ name, id }) => [name, id]));
    const failure = Failure.of(thrown);
    return { ok: false, failure: records.length > 0 ? failure.with({ done }) : failure };
  }

  async function sendCounted(event: Event) {
    const sent = await sendEvent(exchange, settings, plan, event, ctx);
    requests += 1;
    return sent;
  }
}

/** The receipt of an event that an earlier attempt of this very delivery has sent. */
function taken({ resume }: Plan, record: RecordPlan): RecordReceipt | undefined {
  const id = resume?.done?.includes(record.name) ? resume.records[record.name] : undefined;
  return id === undefined ? undefined : { name: record.name, object: record.object, id, did: 'unchanged' };
}
