import { randomUUID } from 'node:crypto';
import type { CompressedPayload } from '../payloads/payloads.ts';
import type { AtomicStep } from '../queues/atomic-enqueue.ts';
import { memberOf, splitMember } from '../redis/keys.ts';
import { deliveryLease, HeldLease } from '../redis/lease.ts';
import { bucketOf } from '../stats/hourly-counts.ts';
import { trimCalls } from './call-index.ts';
import {
  beginDelivery,
  endCall,
  type PayloadDays,
  recheckDeliveries,
  recordOutcome,
  secondsOf,
} from './delivery-scripts.ts';
import {
  type BegunDelivery,
  type DeliveryChange,
  type DeliveryEntry,
  type DeliveryRef,
  type DeliveryState,
  type DropNote,
  type LedgerEntry,
  type OperatorChoice,
  parseEntry,
  type RevisionRef,
  repairDelivery,
} from './entry.ts';
import { LedgerReader } from './ledger-reader.ts';
import { endsOf } from './people-index.ts';
import { type JudgedRevision, ROUTE_STEP, type RoutedDelivery, routeCall, routing } from './route-script.ts';
import * as scripts from './scripts.ts';

/** A delivery whose attempt has begun, in the hands of this process. */
export interface TakenDelivery {
  ref: DeliveryRef;
  delivery: BegunDelivery;
  /** How many revisions its call has. */
  revisions: number;
  /** The entry of its call, where it was asked for. */
  entry?: LedgerEntry;
  lease: HeldLease;
}

/** Runs a step, and adds in it the jobs of the deliveries that it opens. */
type AddJobs = (step: AtomicStep, call: { keys: string[]; args: (string | number | Buffer)[] }) => Promise<string>;

interface OverrideOptions {
  by?: string | undefined;
  chosen?: OperatorChoice | undefined;
  audit?: string;
}

interface OutcomeOptions {
  refundAttempt?: boolean;
  keptMs?: number;
  /** Given back with it. */
  lease?: HeldLease | undefined;
  payloads?: PayloadDays;
  people?: { digests: Iterable<string>; days: number };
  took?: number;
}

/** Reads and changes the ledger. Every change is one step in Redis (`scripts.ts`). */
export class Ledger extends LedgerReader {
  /**
   * Writes facts and effect of a revision, and opens its deliveries.
   * @returns the deliveries that need a job; `waits` when it is to be parked while another revision is on its way, and
   * `again` when another revision was delivered since it was judged: nothing is changed then
   * @param addJobs runs the step, and adds in it the jobs of the wanted deliveries, where it can
   */
  async route(call: RevisionRef, judged: Omit<JudgedRevision, 'park' | 'compared'>): Promise<RoutedDelivery[]>;
  async route(
    call: RevisionRef,
    judged: JudgedRevision,
    addJobs?: AddJobs,
  ): Promise<RoutedDelivery[] | 'waits' | 'again'>;
  async route(
    call: RevisionRef,
    judged: JudgedRevision,
    addJobs?: AddJobs,
  ): Promise<RoutedDelivery[] | 'waits' | 'again'> {
    const route = (compressed?: CompressedPayload) => {
      const { keys, args } = routing(this.keys, call, judged, { compressed, hasJobs: addJobs !== undefined });
      return addJobs ? addJobs(ROUTE_STEP, { keys, args }) : routeCall(this.redis, keys, args);
    };
    const { compress } = judged;
    const compressed = await compress?.(false);
    let answer = await route(compressed);
    if (answer === 'packed') {
      await this.packed.unpack(call.source, call.call_id);
      answer = await route(compressed);
    }
    // The client was removed and is here again, or Redis was emptied.
    if (answer === 'lost') answer = await route(await compress?.(true));
    if (answer === 'waits' || answer === 'again') return answer;
    return (JSON.parse(answer) as RoutedDelivery[]).map(repairDelivery);
  }

  /**
   * Takes the lease of a delivery and begins an attempt, in one step.
   * @param options.ttl ms after which the lease of a process that died is free
   * @param options.withEntry whether the entry of the call is wanted, too
   * @returns undefined when the job is out of date and must do nothing; `busy` while another process has the lease
   */
  async take(
    ref: DeliveryRef,
    mapping: string | undefined,
    { ttl, withEntry }: { ttl: number; withEntry: boolean },
  ): Promise<TakenDelivery | 'busy' | undefined> {
    const { source, call_id, route, revision, replays } = ref;
    const owner = randomUUID();
    const leased = this.#leaseOf(ref);
    const answer = await beginDelivery(
      this.redis,
      [this.keys.ledger(source, call_id), this.keys.choices(''), leased],
      [route, revision, replays, mapping ?? '', owner, ttl, withEntry ? '1' : ''],
    );
    if (!answer) return undefined;
    const [json, revisions = 0, ...fields] = answer;
    if (json === undefined) return 'busy';
    const { has_choices, ...delivery } = JSON.parse(json) as BegunDelivery;
    const entry = parseEntry(toHash(fields));
    return {
      ...{ ref, delivery: { ...repairDelivery(delivery), has_choices }, revisions, ...(entry ? { entry } : {}) },
      lease: new HeldLease(this.redis, [leased], owner, ttl),
    };
  }

  #leaseOf({ source, call_id, route }: DeliveryRef): string {
    return this.keys.lease(deliveryLease(source, call_id, route));
  }

  /**
   * Looks whether deliveries in the hands of this process are still to be written, where they have waited there for more than a
   * moment. Their leases yield no longer.
   * @returns for each in turn `held`, or why it must not be written: `outdated` when it was dropped, forgotten or replayed
   * meanwhile, `busy` when the lease was lost
   */
  async recheck(taken: readonly Pick<TakenDelivery, 'ref' | 'lease'>[]): Promise<('held' | 'busy' | 'outdated')[]> {
    for (const { lease } of taken) lease.keep();
    const waited = taken.filter(({ lease }) => !lease.isFresh);
    if (waited.length === 0) return taken.map(() => 'held');
    const answers = await recheckDeliveries(
      this.redis,
      waited.flatMap(({ ref }) => [this.keys.ledger(ref.source, ref.call_id), this.#leaseOf(ref)]),
      waited.flatMap(({ ref, lease }) => [ref.route, ref.revision, ref.replays, lease.owner]),
    );
    const answerOf = new Map(waited.map((one, index) => [one, answers[index]]));
    return taken.map((one) => answerOf.get(one) ?? 'held');
  }

  /**
   * Notes an attempt's result, and gives its lease back. False when the delivery has moved on meanwhile.
   * @param options.keptMs where it was written or skipped: for how long what it lacks is kept
   * @param options.payloads where the attempt may have been the last thing to do for the call, as for `endCall`
   * @param options.people the person's records, for the index of people, with the days that they are kept
   * @param options.took ms from the webhook to its records, for the counts
   */
  async recordOutcome(ref: DeliveryRef, change: DeliveryChange, options: OutcomeOptions = {}): Promise<boolean> {
    const { source, call_id, route, revision, replays } = ref;
    const { refundAttempt = false, keptMs = '', lease, payloads, people, took } = options;
    const { unresolved, omissions } = this.keys;
    const [ledger, ...ends] = this.#endKeys(source, call_id);
    const keys = [ledger, unresolved, omissions, this.#leaseOf(ref), ...ends, this.keys.counts];
    const digests = people ? [...people.digests] : [];
    const { seconds, before } = endsOf(people?.days ?? 0);
    const done = await recordOutcome(
      this.redis,
      [...keys, ...digests.map((digest) => this.keys.person(digest))],
      [
        ...[route, revision, replays, Date.now(), JSON.stringify(change), refundAttempt ? '1' : '', keptMs],
        ...[lease?.owner ?? '', memberOf(source, call_id)],
        ...(payloads ? secondsOf(payloads) : ['', '']),
        took === undefined ? '' : bucketOf(took),
        ...[seconds, before, ...digests],
      ],
    );
    lease?.ended();
    return done === 1;
  }

  /**
   * Gives the payloads of a call their end of life, and takes the call off the open ones, once nothing of it is on its way any
   * more. Does nothing before.
   */
  async endCall(source: string, callId: string, payloads: PayloadDays): Promise<void> {
    await endCall(this.redis, this.#endKeys(source, callId), [memberOf(source, callId), ...secondsOf(payloads)]);
  }

  #endKeys(source: string, callId: string): [ledger: string, ...others: string[]] {
    const { keys } = this;
    return [keys.ledger(source, callId), keys.payload(source, callId, ''), keys.dictionary(source, ''), keys.open];
  }

  /**
   * Puts a delivery back on its way.
   * @param options.by the operator's name, where it is known
   * @param options.chosen whom it is about
   * @param options.audit text of an entry
   * @returns undefined when its state is not among `from`, or who was chosen is none of its candidates
   */
  requeue(
    source: string,
    callId: string,
    route: string,
    from: readonly DeliveryState[],
    options: OverrideOptions = {},
  ): Promise<DeliveryEntry | undefined> {
    return this.#override(source, callId, route, 'queued', '', from, options);
  }

  /**
   * Gives a delivery up, noting who did and why beside the reason for which it had stopped; or only the parked revision, where it
   * displaced one that was not written yet: that one is `queued` again, and the sweep adds its job. One that a worker took a moment
   * ago, or is sending, is written all the same (`recheck`). @param audit text of an entry
   */
  drop(
    source: string,
    callId: string,
    route: string,
    { reason, by }: Omit<DropNote, 'at'>,
    audit = '',
  ): Promise<DeliveryEntry | undefined> {
    return this.#override(source, callId, route, 'dropped', reason, ['parked', 'dead', 'queued'], { by, audit });
  }

  /** A change that answers nothing where there is no entry: one that is packed is taken out for it. */
  async #change<Answer>(source: string, callId: string, change: () => Promise<Answer | null>): Promise<Answer | null> {
    const answer = await change();
    if (answer) return answer;
    await this.packed.unpack(source, callId);
    // Also where it was not packed any more: another process may have taken it out in between.
    return change();
  }

  #auditedKeys(source: string, callId: string, ...further: string[]): string[] {
    const { keys } = this;
    return [keys.ledger(source, callId), keys.open, keys.unresolved, ...further, keys.audit];
  }

  async #override(
    source: string,
    callId: string,
    route: string,
    state: 'queued' | 'dropped',
    reason: string,
    from: readonly DeliveryState[],
    { by = '', chosen, audit = '' }: OverrideOptions,
  ): Promise<DeliveryEntry | undefined> {
    const noted = chosen ? JSON.stringify(chosen) : '';
    const answer = await this.#change(source, callId, () =>
      scripts.overrideDelivery(this.redis, this.#auditedKeys(source, callId, this.keys.counts), [
        route,
        Date.now(),
        memberOf(source, callId),
        state,
        reason,
        from.join(','),
        by,
        noted,
        audit,
      ]),
    );
    return answer ? repairDelivery(JSON.parse(answer)) : undefined;
  }

  /**
   * Notes that a call was forgotten, gives up what had not ended, and keeps of the rest only states.
   * @param by name of the operator who asks for it
   * @param audit text of an entry
   * @returns the deliveries as they were before, and the digests of the call in the index of people
   */
  async forget(
    source: string,
    callId: string,
    by = '',
    audit = '',
  ): Promise<{ deliveries: DeliveryEntry[]; people: string[] } | undefined> {
    const answer = await this.#change(source, callId, () =>
      scripts.forgetCall(this.redis, this.#auditedKeys(source, callId, this.keys.omissions, this.keys.counts), [
        Date.now(),
        memberOf(source, callId),
        'The call was forgotten on request.',
        by,
        audit,
      ]),
    );
    if (!answer) return undefined;
    const [deliveries, people] = JSON.parse(answer) as [DeliveryEntry[] | object, string];
    return {
      deliveries: Array.isArray(deliveries) ? deliveries.map(repairDelivery) : [],
      people: people.split(' ').filter(Boolean),
    };
  }

  /** Notes that a call cannot even be routed, or is dropped. Does nothing for a call that the ledger does not know. @param audit text of an entry */
  async stop(
    source: string,
    callId: string,
    why: Omit<NonNullable<LedgerEntry['stopped']>, 'at'> & { at?: number },
    audit = '',
  ): Promise<void> {
    const keys = [this.keys.ledger(source, callId), this.keys.unresolved, this.keys.audit];
    await scripts.stopCall(this.redis, keys, [JSON.stringify({ at: Date.now(), ...why }), audit]);
  }

  /**
   * Notes why a call waits; it goes on by itself. The time of the first note is kept.
   * @param read whether the API of its source was asked about it just now, which is counted
   */
  async wait(
    source: string,
    callId: string,
    why: Omit<NonNullable<LedgerEntry['waiting']>, 'since' | 'reads'>,
    read = false,
  ): Promise<void> {
    await scripts.noteWaiting(
      this.redis,
      [this.keys.ledger(source, callId)],
      [Date.now(), JSON.stringify(why), read ? 1 : 0],
    );
  }

  /** Notes which revision the API of the source gave when it was asked to confirm this one. */
  async confirm(call: RevisionRef, by: string): Promise<void> {
    await scripts.markConfirmed(this.redis, [this.keys.ledger(call.source, call.call_id)], [call.revision, by]);
  }

  /** Notes that the revisions which were not kept have been seen to. */
  async handleIgnored(source: string, callId: string): Promise<void> {
    await this.redis.hset(this.keys.ledger(source, callId), 'ignored_handled', '1');
  }

  /** Notes that a revision was not believed and made us read the call from the API instead. */
  async markUnverified(source: string, callId: string, revision: string): Promise<void> {
    const keys = [this.keys.ledger(source, callId), this.keys.unresolved];
    await scripts.markUnverified(this.redis, keys, [revision]);
  }

  /**
   * Parks a call for a revision of no known shape.
   * @returns why it is stopped now; undefined when the revision has been taken for something else meanwhile
   */
  async parkUnrecognised(
    call: RevisionRef,
    why: Pick<NonNullable<LedgerEntry['stopped']>, 'code' | 'reason' | 'hint'>,
  ): Promise<NonNullable<LedgerEntry['stopped']> | undefined> {
    const stopped = { at: Date.now(), ...why, state: 'parked' as const };
    const keys = [this.keys.ledger(call.source, call.call_id), this.keys.unresolved];
    const done = await scripts.markUnrecognised(this.redis, keys, [call.revision, JSON.stringify(stopped)]);
    return done === 1 ? stopped : undefined;
  }

  /** Takes back that a call was stopped, so that it gets another chance. False when it is not stopped. @param audit text of an entry */
  async reopen(source: string, callId: string, audit = ''): Promise<boolean> {
    const keys = this.#auditedKeys(source, callId);
    const done = await this.#change(source, callId, () =>
      scripts.reopenCall(this.redis, keys, [Date.now(), memberOf(source, callId), audit]),
    );
    return done === 1;
  }

  /** Calls with something to do that has not moved since `before` (epoch ms), oldest first. */
  async openSince(before: number, limit = 1000): Promise<{ source: string; call_id: string }[]> {
    const members = await this.redis.zrangebyscore(this.keys.open, 0, before, 'LIMIT', 0, limit);
    return members.map(splitMember);
  }

  /** Looks at a call again at `at` (epoch ms) if nothing closes it before. */
  async keepOpen(source: string, callId: string, at: number): Promise<void> {
    await this.redis.zadd(this.keys.open, at, memberOf(source, callId));
  }

  /** Nothing is left to do for this call. */
  async close(source: string, callId: string): Promise<void> {
    await this.redis.zrem(this.keys.open, memberOf(source, callId));
  }

  /** Forgets index entries older than `before` (epoch ms); the entries themselves expire. Packed ones go when they have ended. */
  async trim(before: number): Promise<number> {
    while ((await this.packed.removeEnded(ENDED_AT_ONCE)) === ENDED_AT_ONCE);
    return trimCalls(this.redis, [this.keys.index], [before]);
  }
}

const ENDED_AT_ONCE = 100;
/** @param fields names and values by turns */
function toHash(fields: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) hash[fields[at] as string] = fields[at + 1] as string;
  return hash;
}
