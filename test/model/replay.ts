/** Takes the steps of a trace on the product's scripts, and compares what Redis holds with the model after each. */
import { isDeepStrictEqual } from 'node:util';
import { Failure, type WriteOutcome } from '@wrapup/destination';
import {
  type DeliveryChange,
  type DeliveryRef,
  deliveryLease,
  jobId,
  type Store,
  type TakenDelivery,
} from '../../packages/queue/src/index.ts';
import { recheckDeliveries } from '../../packages/queue/src/ledger/delivery-scripts.ts';
import { bodyOf, CONNECTION, EPOCH, hashOf, observeState, SOURCE } from './installation.ts';
import type { ModelState, ModelStep } from './trace.ts';

/** As in the model. */
const MAX_ATTEMPTS = 3;
const TRIAL_MS = 60_000;

const ROUTES = ['log', 'task'];
/** Longer than a trace takes: leases run out when the model says so. */
const LEASE_MS = 600_000;
const PAYLOADS = { delivered_days: 7, stopped_days: 30 };

type Answered = 'written' | 'lost' | 'failed' | 'refused' | 'unauthorized';

/** What a worker has in hand. */
interface Hand {
  call: string;
  taken: TakenDelivery;
  said?: Answered;
}

/** @returns where Redis and the model differ first; undefined where they never do */
export async function replayTrace(store: Store, steps: readonly ModelStep[]): Promise<string | undefined> {
  await store.redis.flushdb();
  const replay = new Replay(store);
  const { now } = Date;
  try {
    for (const [index, step] of steps.entries()) {
      Date.now = () => EPOCH + step.at * 1000;
      await replay.take(step);
      const different = differences(step.after, await observeState(store, replay.holderOf));
      if (different.length > 0)
        return `step ${index + 1}, ${step.action} ${JSON.stringify(step.picks)}: ${different.join('; ')}`;
    }
  } finally {
    Date.now = now;
    replay.end();
  }
  return undefined;
}

function differences(model: ModelState, real: ModelState): string[] {
  return (Object.keys(model) as (keyof ModelState)[]).flatMap((part) =>
    isDeepStrictEqual(model[part], real[part])
      ? []
      : [`${part} is ${JSON.stringify(real[part])}, the model says ${JSON.stringify(model[part])}`],
  );
}

class Replay {
  readonly #store: Store;
  readonly #hands = new Map<string, Hand>();

  constructor(store: Store) {
    this.#store = store;
  }

  readonly holderOf = (owner: string): string =>
    [...this.#hands].find(([, { taken }]) => taken.lease.owner === owner)?.[0] ?? 'gone';

  end(): void {
    for (const { taken } of this.#hands.values()) taken.lease.ended();
  }

  async take({ action, picks, at }: ModelStep): Promise<void> {
    const { connections, operations } = this.#store;
    const [call = '', second = ''] = (picks.p ?? picks.body ?? []) as string[];
    switch (action) {
      case 'arrive':
        await this.#store.accept(
          {
            ...{ source: SOURCE, call_id: call, body: bodyOf(call, second), received: 'webhook' },
            ...{ verified: 'signature', received_at: EPOCH + (at - (picks.lag as number)) * 1000 },
          },
          90,
        );
        return;
      case 'judge':
        return this.#judge(picks);
      case 'begin':
        return this.#begin(picks);
      case 'recheck':
        return this.#recheck(picks.w as string);
      case 'send':
        (this.#hands.get(picks.w as string) as Hand).said = answerOf(picks.luck as number);
        return;
      case 'note':
        return this.#note(picks);
      case 'crash':
        this.#hands.get(picks.w as string)?.taken.lease.ended();
        this.#hands.delete(picks.w as string);
        return;
      case 'expire':
        await this.#store.redis.pexpire(this.#leaseOf(call, second), 0);
        return;
      case 'sweep':
        return this.#sweep(picks.c as string);
      case 'replay':
        await operations.replay(SOURCE, call, second, {
          ...{ attempts: MAX_ATTEMPTS, from: ['parked', 'dead', 'written'] },
        });
        return;
      case 'drop':
        await operations.drop(SOURCE, call, second, { reason: 'no longer wanted' });
        return;
      case 'pause':
        await connections.pause(CONNECTION, 'maintenance', { name: picks.who as string });
        return;
      case 'resume':
        await connections.resume(CONNECTION);
        return;
      case 'claim':
        await connections.claimProbe(CONNECTION);
        return;
      case 'probe':
        return this.#probe(picks.answers as boolean);
      case 'endTrial':
        await connections.endTrial(CONNECTION, Date.now() - TRIAL_MS);
        return;
      case 'pass':
        return;
      default:
        throw new Error(`The replay knows no step ${action}.`);
    }
  }

  async #judge({ job = [], verdict, sees, ends }: ModelStep['picks']): Promise<void> {
    const { ledger, operations, queues } = this.#store;
    const [call, name] = job as [string, string];
    const revision = hashOf(call, name);
    const { revisions = [] } = (await ledger.read(SOURCE, call)) ?? {};
    const known = revisions.find(({ hash }) => hash === revision)?.effect;
    const others = revisions.filter(({ hash, effect }) => hash !== revision && effect === 'applied');
    const compared = (sees as number) > 1 ? others.map(({ hash }) => hash) : [];
    const effect = known ?? (compared.length === 0 ? 'applied' : (verdict as 'applied' | 'equal' | 'parked'));
    const park = { code: 'refused', reason: 'It contradicts what was written.', hint: 'Replay or drop it.' };
    const answer = await operations.routeCall(
      { source: SOURCE, call_id: call, received: 'webhook' },
      {
        ...{ revision, effect, facts: { notes: [] }, compared },
        wanted: effect === 'equal' ? [] : ROUTES.map((route) => ({ route, connection: CONNECTION })),
        park: !known && effect === 'parked' ? park : undefined,
      },
      { attempts: () => MAX_ATTEMPTS },
    );
    if (!Array.isArray(answer) || (ends as number) <= 1) return;
    if (answer.every(({ state }) => state === 'parked')) await ledger.endCall(SOURCE, call, PAYLOADS);
    await queues.calls(SOURCE).remove(jobId('c', SOURCE, call, revision));
  }

  async #begin({ w, job = [] }: ModelStep['picks']): Promise<void> {
    const [call, route, name, replays] = job as [string, string, string, number];
    const ref = { source: SOURCE, call_id: call, route, revision: hashOf(call, name), replays };
    const taken = await this.#store.ledger.take(ref, '', { ttl: LEASE_MS, withEntry: false });
    if (taken === undefined) await this.#removeJob(ref);
    else if (taken !== 'busy') this.#hands.set(w as string, { call, taken });
  }

  async #recheck(worker: string): Promise<void> {
    const { taken, call } = this.#hands.get(worker) as Hand;
    const { route, revision, replays } = taken.ref;
    const [answer] = await recheckDeliveries(
      this.#store.redis,
      [this.#store.keys.ledger(SOURCE, call), this.#leaseOf(call, route)],
      [route, revision, replays, taken.lease.owner],
    );
    if (answer === 'held') return;
    this.#hands.delete(worker);
    await taken.lease.release();
    if (answer === 'outdated') await this.#removeJob(taken.ref);
  }

  async #note({ w, ends }: ModelStep['picks']): Promise<void> {
    const { ledger, operations, connections } = this.#store;
    const { taken, said } = this.#hands.get(w as string) as Required<Hand>;
    const { ref, lease, delivery } = taken;
    const change = changeOf(said, delivery.attempts);
    const isDone = await ledger.recordOutcome(ref, change, {
      ...{ lease, refundAttempt: said === 'unauthorized' },
      ...(change.state ? { payloads: PAYLOADS } : {}),
    });
    this.#hands.delete(w as string);
    await connections.note(CONNECTION, [outcomeOf(said)]);
    if (isDone && (change.state === 'parked' || change.state === 'dead'))
      await operations.addUnresolved(ref, { ...delivery, ...(change as object) });
    if ((ends as number) > 1 && (change.state || !isDone)) await this.#removeJob(ref);
  }

  async #probe(answers: boolean): Promise<void> {
    const { connections } = this.#store;
    const { pause } = await connections.read(CONNECTION);
    // A probe that comes back when the circuit is closed has nothing to end, whatever its pause was.
    const ended = pause ?? { cause: 'outage', code: 'unavailable', reason: '', since: 0, tries: 0, next_probe: 0 };
    const failed = outcomeOf('failed');
    await connections.endProbe(CONNECTION, ended, answers || failed.ok ? undefined : failed.failure);
  }

  async #sweep(call: string): Promise<void> {
    const { ledger, operations } = this.#store;
    const entry = await ledger.read(SOURCE, call);
    if (!entry) return;
    for (const { hash, effect } of entry.revisions)
      if (!effect) await operations.enqueueCall({ source: SOURCE, call_id: call, revision: hash });
    for (const delivery of entry.deliveries)
      if (delivery.state === 'queued') await operations.enqueueDelivery(entry, delivery, MAX_ATTEMPTS);
    await ledger.endCall(SOURCE, call, PAYLOADS);
  }

  #leaseOf(call: string, route: string): string {
    return this.#store.keys.lease(deliveryLease(SOURCE, call, route));
  }

  async #removeJob({ call_id, route, revision, replays }: DeliveryRef): Promise<void> {
    await this.#store.queues.deliveries(CONNECTION).remove(jobId('d', SOURCE, call_id, route, revision, replays));
  }
}

/** As the model's `send`. */
function answerOf(luck: number): Answered {
  if (luck <= 5) return 'written';
  if (luck <= 7) return 'lost';
  if (luck <= 9) return 'failed';
  return luck <= 11 ? 'refused' : 'unauthorized';
}

const CODES = { lost: 'timeout', failed: 'unavailable', refused: 'refused', unauthorized: 'unauthorized' } as const;

function changeOf(said: Answered, attempts: number): DeliveryChange {
  if (said === 'written') return { state: 'written', code: null, reason: null };
  const why = { code: CODES[said], reason: 'The CRM said so.' };
  if (said === 'refused') return { ...why, state: 'parked' };
  return said !== 'unauthorized' && attempts >= MAX_ATTEMPTS ? { ...why, state: 'dead' } : why;
}

function outcomeOf(said: Answered): WriteOutcome {
  if (said === 'written') return { ok: true, receipt: { records: [], notes: [], requests: 1 } } as WriteOutcome;
  return { ok: false, failure: new Failure(CODES[said], 'The CRM said so.'), requests: 1 } as unknown as WriteOutcome;
}
