import { memberOf, splitMember } from '../redis/keys.ts';
import { trimCalls } from './call-index.ts';
import {
  type BegunDelivery,
  type DeliveryChange,
  type DeliveryEntry,
  type DeliveryRef,
  type DeliveryState,
  type DropNote,
  type LedgerEntry,
  type OperatorChoice,
  type RevisionRef,
  repairDelivery,
} from './entry.ts';
import { LedgerReader } from './ledger-reader.ts';
import { type JudgedRevision, routeCall } from './route-script.ts';
import * as scripts from './scripts.ts';

/** Reads and changes the ledger. Every change is one step in Redis (`scripts.ts`). */
export class Ledger extends LedgerReader {
  /**
   * Writes facts and effect of a revision, and opens its deliveries.
   * @returns the deliveries that need a job; `waits` when it is to be parked while another revision is on its way, and
   * `again` when another revision was delivered since it was judged: nothing is changed then
   */
  async route(call: RevisionRef, judged: Omit<JudgedRevision, 'park' | 'compared'>): Promise<DeliveryEntry[]>;
  async route(call: RevisionRef, judged: JudgedRevision): Promise<DeliveryEntry[] | 'waits' | 'again'>;
  async route(
    call: RevisionRef,
    { effect, facts, wanted, park, digest = '', after = 0, compared }: JudgedRevision,
  ): Promise<DeliveryEntry[] | 'waits' | 'again'> {
    const { notes, ...plain } = facts;
    const fields = Object.fromEntries(
      Object.entries({ ...plain, notes: JSON.stringify(notes) }).filter(([, value]) => value !== undefined),
    );
    const route = () =>
      routeCall(
        this.redis,
        [this.keys.ledger(call.source, call.call_id), this.keys.unresolved, this.keys.packed],
        [
          call.revision,
          effect,
          Date.now(),
          JSON.stringify(fields),
          JSON.stringify(wanted),
          park ? JSON.stringify(park) : '',
          digest,
          after,
          compared ? JSON.stringify(compared) : '',
          memberOf(call.source, call.call_id),
        ],
      );
    let answer = await route();
    if (answer === 'packed') {
      await this.packed.unpack(call.source, call.call_id);
      answer = await route();
    }
    if (answer === 'waits' || answer === 'again') return answer;
    return (JSON.parse(answer) as DeliveryEntry[]).map(repairDelivery);
  }

  /** Begins an attempt; undefined when the job is out of date and must do nothing. */
  async begin(ref: DeliveryRef, mapping = ''): Promise<BegunDelivery | undefined> {
    const answer = await scripts.beginDelivery(
      this.redis,
      [this.keys.ledger(ref.source, ref.call_id), this.keys.choices('')],
      [ref.route, ref.revision, ref.replays, mapping],
    );
    if (!answer) return undefined;
    const { has_choices, ...delivery } = JSON.parse(answer) as BegunDelivery;
    return { ...repairDelivery(delivery), has_choices };
  }

  /**
   * Notes an attempt's result. False when the delivery has moved on meanwhile.
   * @param keptMs where it was written or skipped: for how long what it lacks is kept
   */
  async recordOutcome(
    { source, call_id, route, revision, replays }: DeliveryRef,
    change: DeliveryChange,
    { refundAttempt = false, keptMs }: { refundAttempt?: boolean; keptMs?: number } = {},
  ): Promise<boolean> {
    const { unresolved, omissions } = this.keys;
    const how = [JSON.stringify(change), refundAttempt ? '1' : '', keptMs ?? ''];
    const keys = [this.keys.ledger(source, call_id), unresolved, omissions];
    return (await scripts.recordOutcome(this.redis, keys, [route, revision, replays, Date.now(), ...how])) === 1;
  }

  /**
   * Puts a delivery back on its way.
   * @param options.by the operator's name, where it is known
   * @param options.chosen whom it is about
   * @returns undefined when its state is not among `from`, or who was chosen is none of its candidates
   */
  requeue(
    source: string,
    callId: string,
    route: string,
    from: readonly DeliveryState[],
    { by, chosen }: { by?: string | undefined; chosen?: OperatorChoice | undefined } = {},
  ): Promise<DeliveryEntry | undefined> {
    return this.#override(source, callId, route, 'queued', '', from, by, chosen);
  }

  /**
   * Gives a delivery up, noting who did and why beside the reason for which it had stopped; or only the parked revision, where it displaced one that
   * was not written yet: that one is `queued` again, and the sweep adds its job.
   */
  drop(
    source: string,
    callId: string,
    route: string,
    { reason, by }: Omit<DropNote, 'at'>,
  ): Promise<DeliveryEntry | undefined> {
    return this.#override(source, callId, route, 'dropped', reason, ['parked', 'dead', 'queued'], by);
  }

  /** A change that answers nothing where there is no entry: one that is packed is taken out for it. */
  async #change<Answer>(source: string, callId: string, change: () => Promise<Answer | null>): Promise<Answer | null> {
    const answer = await change();
    if (answer) return answer;
    await this.packed.unpack(source, callId);
    // Also where it was not packed any more: another process may have taken it out in between.
    return change();
  }

  async #override(
    source: string,
    callId: string,
    route: string,
    state: 'queued' | 'dropped',
    reason: string,
    from: readonly DeliveryState[],
    by = '',
    chosen?: OperatorChoice,
  ): Promise<DeliveryEntry | undefined> {
    const noted = chosen ? JSON.stringify(chosen) : '';
    const answer = await this.#change(source, callId, () =>
      scripts.overrideDelivery(
        this.redis,
        [this.keys.ledger(source, callId), this.keys.open, this.keys.unresolved],
        [route, Date.now(), memberOf(source, callId), state, reason, from.join(','), by, noted],
      ),
    );
    return answer ? repairDelivery(JSON.parse(answer)) : undefined;
  }

  /**
   * Notes that a call was forgotten, gives up what had not ended, and keeps of the rest only states.
   * @returns the deliveries as they were before, and the digests of the call in the index of people
   */
  async forget(source: string, callId: string): Promise<{ deliveries: DeliveryEntry[]; people: string[] } | undefined> {
    const answer = await this.#change(source, callId, () =>
      scripts.forgetCall(
        this.redis,
        [this.keys.ledger(source, callId), this.keys.open, this.keys.unresolved, this.keys.omissions],
        [Date.now(), memberOf(source, callId), 'The call was forgotten on request.'],
      ),
    );
    if (!answer) return undefined;
    const [deliveries, people] = JSON.parse(answer) as [DeliveryEntry[] | object, string];
    return {
      deliveries: Array.isArray(deliveries) ? deliveries.map(repairDelivery) : [],
      people: people.split(' ').filter(Boolean),
    };
  }

  /** Notes that a call cannot even be routed. Does nothing for a call that the ledger does not know. */
  async stop(
    source: string,
    callId: string,
    why: Omit<NonNullable<LedgerEntry['stopped']>, 'at'> & { at?: number },
  ): Promise<void> {
    const keys = [this.keys.ledger(source, callId), this.keys.unresolved];
    await scripts.stopCall(this.redis, keys, [JSON.stringify({ at: Date.now(), ...why })]);
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

  /** Takes back that a call was stopped, so that it gets another chance. False when it is not stopped. */
  async reopen(source: string, callId: string): Promise<boolean> {
    const keys = [this.keys.ledger(source, callId), this.keys.open, this.keys.unresolved];
    const done = await this.#change(source, callId, () =>
      scripts.reopenCall(this.redis, keys, [Date.now(), memberOf(source, callId)]),
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
