/**
 * What an operator can do with unresolved deliveries, and how jobs are added. Used by the worker, the CLI and the
 * dashboard.
 *
 * The queues `parked` and `dead` hold one job for each unresolved delivery, so that Bull Board shows it; its id is made of
 * the delivery, so that adding it twice adds it once. Lists and counts come from `unresolved/unresolved.ts`.
 */
import { NEW_PERSON, type Priority } from '@wrapup/destination';
import type { Queue } from 'bullmq';
import { type AuditedOperator, writeAudit } from '../audit/audit-entry.ts';
import type { Choices } from '../connections/choices.ts';
import type { DeliveryEntry, DeliveryState, DropNote, LedgerEntry, OperatorChoice, Received } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JudgedRevision, RoutedDelivery } from '../ledger/route-script.ts';
import type { Payloads } from '../payloads/payloads.ts';
import { DEAD_QUEUE, deliveriesQueue, jobId, PARKED_QUEUE } from '../redis/keys.ts';
import type { NewJob } from './atomic-enqueue.ts';
import { bullPriority, priorityOf } from './priority.ts';
import { type CallJob, type DeliveryJob, MAX_CALL_ATTEMPTS, type Queues, type UnresolvedJob } from './queues.ts';

/** Result of a replay. */
export type Replayed = 'replayed' | 'moved' | 'expired';

/** Why a choice could not be made: the person is no candidate; or the number was only said, and no later call is chosen by it. */
export type ChoiceRefused = 'no_candidate' | 'only_said';

/** Who asks for an action, with what. */
interface Asked {
  /** Absent: no one is noted in ledger and audit. */
  by?: AuditedOperator | undefined;
  /** It is part of a run, which has entries of its own in the audit. */
  run?: true | undefined;
}

/** Why something is given up, and by whom. */
type DropReason = Asked & Pick<DropNote, 'reason'>;

/** A call whose deliveries get jobs. */
interface JobOwner {
  source: string;
  call_id: string;
  received?: Received;
}

/** Codes of what waits for a person to say who it is. */
const CHOOSABLE: ReadonlySet<string> = new Set(['ambiguous_person', 'unmatched_person']);

export class Operations {
  readonly #queues: Queues;
  readonly #ledger: Ledger;
  readonly #payloads: Payloads;
  readonly #choices: Choices;

  constructor(queues: Queues, ledger: Ledger, payloads: Payloads, choices: Choices) {
    this.#queues = queues;
    this.#ledger = ledger;
    this.#payloads = payloads;
    this.#choices = choices;
  }

  /**
   * Writes facts and effect of a revision, opens its deliveries, and adds their jobs, as far as it can in one step.
   * @param options.attempts of a delivery on a route
   * @param options.config hash of the configuration that a replay of the call was asked for with
   * @returns as `Ledger.route`
   */
  async routeCall(
    entry: JobOwner,
    judged: JudgedRevision & { revision: string },
    { attempts, config }: { attempts(route: string): number; config?: string | undefined },
  ): Promise<RoutedDelivery[] | 'waits' | 'again'> {
    const { source, call_id } = entry;
    const { revision, wanted } = judged;
    const jobs = wanted.map(({ route, connection }) =>
      this.#deliveryJob(entry, { route, connection, revision, replays: 0 }, attempts(route), config),
    );
    const deliveries = await this.#ledger.route(
      { source, call_id, revision },
      judged,
      jobs.length > 0 && !judged.park ? (step, call) => this.#queues.addWith(step, call, jobs) : undefined,
    );
    if (!Array.isArray(deliveries)) return deliveries;
    for (const { stood, ...delivery } of deliveries) {
      if (stood) await this.removeUnresolved(source, call_id, { ...delivery, ...stood });
      if (delivery.state === 'parked') await this.addUnresolved(entry, delivery);
      else if (!delivery.has_job) await this.enqueueDelivery(entry, delivery, attempts(delivery.route), config);
    }
    return deliveries;
  }

  /**
   * Adds a delivery's job. Harmless when it is there already.
   * @param config hash of the configuration that a replay was asked for with
   */
  async enqueueDelivery(entry: JobOwner, delivery: DeliveryEntry, attempts: number, config?: string): Promise<void> {
    const { queue, job } = this.#deliveryJob(entry, delivery, attempts, config);
    await this.#queues.add(queue, job);
  }

  #deliveryJob(
    { source, call_id, received }: JobOwner,
    { route, revision, replays, connection }: Pick<DeliveryEntry, 'route' | 'revision' | 'replays' | 'connection'>,
    attempts: number,
    config: string | undefined,
  ): { queue: Queue; job: NewJob<DeliveryJob> } {
    return {
      queue: this.#queues.deliveries(connection),
      job: {
        name: 'delivery',
        data: { source, call_id, revision, route, replays, ...(config ? { config } : {}) },
        opts: {
          jobId: jobId('d', source, call_id, route, revision, replays),
          attempts,
          ...bullPriority(priorityOf({ ...(received ? { received } : {}), replays })),
        },
      },
    };
  }

  /** Adds a call's job. Harmless when it is there already. */
  async enqueueCall(job: CallJob, priority: Priority = 'live'): Promise<void> {
    await this.#queues.add(this.#queues.calls(job.source), this.#callJob(job, priority));
  }

  #callJob(job: CallJob, priority: Priority): NewJob<CallJob> {
    const { source, call_id, revision } = job;
    const opts = { jobId: jobId('c', source, call_id, revision), attempts: MAX_CALL_ATTEMPTS };
    return { name: 'call', data: job, opts: { ...opts, ...bullPriority(priority) } };
  }

  /** As `enqueueCall`, for a call that does not move: also where its job is at its end. @returns whether it had none */
  async reviveCall(call: CallJob, priority: Priority): Promise<boolean> {
    return this.#revive(this.#queues.calls(call.source), this.#callJob(call, priority));
  }

  /** As `enqueueDelivery`, for a delivery that does not move: also where its job is at its end. @returns whether it had none */
  async reviveDelivery(entry: JobOwner, delivery: DeliveryEntry, attempts: number): Promise<boolean> {
    const { queue, job } = this.#deliveryJob(entry, delivery, attempts, undefined);
    return this.#revive(queue, job);
  }

  /**
   * A job that is at its end while the ledger says otherwise: what it did was done by a primary that is gone, and its end
   * was noted by the replica that took over. It is remembered for a while and would keep a new one of its name away.
   */
  async #revive(queue: Queue, job: NewJob<CallJob>): Promise<boolean> {
    const before = await queue.getJob(job.opts.jobId);
    if (before && !(await before.isCompleted())) return false;
    await before?.remove();
    await this.#queues.add(queue, job);
    return true;
  }

  /** Adds a delivery that is parked or dead to the queue of that name. Harmless when it is there already. */
  async addUnresolved(
    { source, call_id }: { source: string; call_id: string },
    delivery: DeliveryEntry,
  ): Promise<void> {
    const { state, route, connection, code = 'unknown', reason = '', hint, attempts, since } = delivery;
    const job: UnresolvedJob = {
      ...{ source, call_id, route, connection, code, reason, attempts, since },
      ...(hint ? { hint } : {}),
    };
    const jobId = unresolvedId(source, call_id, delivery);
    await this.#unresolved(state === 'parked' ? 'parked' : 'dead').add(delivery.code ?? state, job, { jobId });
  }

  /** Adds a call that was stopped before its routes to the queue `parked` or `dead`. Harmless when it is there already. */
  async addUnresolvedCall(
    { source, call_id }: { source: string; call_id: string },
    { state, code, reason, hint, at: since }: NonNullable<LedgerEntry['stopped']>,
    attempts: number,
  ): Promise<void> {
    const job: UnresolvedJob = { source, call_id, code, reason, attempts, since, ...(hint ? { hint } : {}) };
    const queue = this.#unresolved(state === 'parked' ? 'parked' : 'dead');
    await queue.add(code, job, { jobId: jobId('x', source, call_id) });
  }

  #unresolved(state: 'parked' | 'dead'): Queue<UnresolvedJob> {
    return state === 'parked' ? this.#queues.parked : this.#queues.dead;
  }

  /** Jobs of `parked` or `dead`, longest waiting first. */
  async list(state: 'parked' | 'dead', limit = 1000): Promise<UnresolvedJob[]> {
    const jobs = await this.#unresolved(state).getJobs(['waiting', 'prioritized', 'delayed'], 0, limit - 1, true);
    return jobs.filter((job) => job?.data).map((job) => job.data);
  }

  /**
   * Removes jobs of `parked` and `dead` that the ledger contradicts: a crash left them there, or the ledger's retention has
   * passed.
   * @param from jobs to leave out, the longest waiting first
   * @param before epoch ms: what stopped earlier and is in no ledger entry has expired
   * @returns how many jobs there were, `limit` at most, and how many of them were removed
   */
  async prune(
    state: 'parked' | 'dead',
    { from, limit, before }: { from: number; limit: number; before: number },
  ): Promise<{ jobs: number; removed: number }> {
    const queue = this.#unresolved(state);
    const jobs = await queue.getJobs(['waiting'], from, from + limit - 1, true);
    let removed = 0;
    for (const job of jobs) {
      if (!job?.id || (await this.#standsFor(state, job.id, job.data, before))) continue;
      removed += await queue.remove(job.id);
    }
    return { jobs: jobs.length, removed };
  }

  async #standsFor(
    state: 'parked' | 'dead',
    id: string,
    { source, call_id, route, since }: UnresolvedJob,
    before: number,
  ): Promise<boolean> {
    const entry = await this.#ledger.read(source, call_id);
    if (!entry) return since >= before;
    if (route === undefined) return entry.stopped !== undefined && (entry.stopped.state ?? 'dead') === state;
    const delivery = entry.deliveries.find((one) => one.route === route);
    return delivery?.state === state && unresolvedId(source, call_id, delivery) === id;
  }

  /**
   * Enqueues an unresolved delivery again, with the mapping of now and all its attempts. The replay count is part of the
   * new job's id, so that it is never taken for a duplicate.
   * @param options.from states it may be replayed from
   * @param options.config hash of the configuration where the replay is asked for; a worker with another one reloads its
   * own first
   * @param options.by who asks for it
   * @param options.chosen whom the call is about, as an operator chose among the candidates of an ambiguous match
   * @param options.lasting the choice is kept for later calls
   * @returns `moved` when it is in none of them; `expired` when there is no payload left to deliver. Neither changes it
   */
  async replay(
    source: string,
    callId: string,
    route: string,
    options: {
      attempts: number;
      from?: readonly DeliveryState[];
      config?: string | undefined;
      chosen?: OperatorChoice | undefined;
      lasting?: boolean | undefined;
    } & Asked,
  ): Promise<Replayed> {
    const { attempts, from = ['parked', 'dead'], config, by, chosen, run } = options;
    const before = await this.#ledger.read(source, callId);
    const old = before?.deliveries.find((delivery) => delivery.route === route);
    if (!old || !from.includes(old.state)) return 'moved';
    if (!(await this.#payloads.has(source, callId, old.revision))) return 'expired';
    const place = { source, call_id: callId, route, connection: old.connection };
    const action = chosen ? { action: 'choose' as const, record: chosen.person } : { action: 'replay' as const };
    const audit = run ? '' : writeAudit(by, { ...action, ...place, ...(options.lasting ? { lasting: true } : {}) });
    const delivery = await this.#ledger.requeue(source, callId, route, from, { by: by?.name, chosen, audit });
    if (!delivery) return 'moved';
    await this.enqueueDelivery({ source, call_id: callId }, delivery, attempts, config);
    await this.removeUnresolved(source, callId, old);
    return 'replayed';
  }

  /**
   * Decides which of its candidates an ambiguous delivery is about, or that the person of an unmatched one is created
   * (`NEW_PERSON`), and sends it on its way so.
   * @param remember the choice is kept for later calls of the same number or address, too
   * @param run it is part of a run, which has entries of its own in the audit
   * @returns `moved`, `expired` and why the choice is refused: nothing is changed then
   */
  async choose(
    source: string,
    callId: string,
    route: string,
    { person, by, remember, run }: { person: string; by: AuditedOperator; remember: boolean; run?: true },
    options: { attempts: number; config?: string | undefined },
  ): Promise<Replayed | ChoiceRefused> {
    const { deliveries } = (await this.#ledger.read(source, callId)) ?? {};
    const delivery = deliveries?.find((one) => one.route === route);
    if (delivery?.state !== 'parked' || !CHOOSABLE.has(delivery.code ?? '')) return 'moved';
    const { connection, ambiguous, code, candidates = [], candidate_urls: urls = {} } = delivery;
    if (code === 'unmatched_person' ? person !== NEW_PERSON : !candidates.includes(person)) return 'no_candidate';
    if (remember && !ambiguous) return 'only_said';
    const chosen = { person, by: by.name, at: Date.now() };
    const how = { ...options, from: ['parked' as const], by, chosen, lasting: remember, run };
    const done = await this.replay(source, callId, route, how);
    if (done !== 'replayed' || !remember || !ambiguous) return done;
    const { digest, by: of } = ambiguous;
    const url = urls[person];
    await this.#choices.keep({ connection, digest, of, ...chosen, source, call_id: callId, ...(url ? { url } : {}) });
    return done;
  }

  /** Lets a call that was stopped before its routes try again. False when it is not stopped. @param options as for `replay` */
  async replayCall(
    source: string,
    callId: string,
    { config, by, run }: Asked & { config?: string | undefined } = {},
  ): Promise<boolean> {
    const audit = run ? '' : writeAudit(by, { action: 'replay', source, call_id: callId });
    // Removed before the job is added: the worker may stop the call again at once.
    if (!(await this.#ledger.reopen(source, callId, audit))) return false;
    await this.removeUnresolvedCall(source, callId);
    const entry = await this.#ledger.read(source, callId);
    const calls = this.#queues.calls(source);
    for (const revision of entry?.revisions.filter((revision) => !revision.effect) ?? []) {
      // BullMQ adds no job whose id a finished or failed one has.
      await calls.remove(jobId('c', source, callId, revision.hash));
      const job = { source, call_id: callId, revision: revision.hash, ...(config ? { config } : {}) };
      await this.enqueueCall(job, 'replay');
    }
    return true;
  }

  /** Drops a call that was stopped before its routes; both reasons stay in the ledger. False when it is not stopped. */
  async dropCall(source: string, callId: string, { reason, by, run }: DropReason): Promise<boolean> {
    const entry = await this.#ledger.read(source, callId);
    if (!entry?.stopped || entry.stopped.state === 'dropped') return false;
    const dropped = { at: Date.now(), reason, ...(by ? { by: by.name } : {}) };
    const audit = run ? '' : writeAudit(by, { action: 'drop', source, call_id: callId, reason });
    await this.#ledger.stop(source, callId, { ...entry.stopped, state: 'dropped', dropped }, audit);
    await this.removeUnresolvedCall(source, callId);
    return true;
  }

  /** Removes the job of a stopped call from `parked` and `dead`. */
  async removeUnresolvedCall(source: string, callId: string): Promise<void> {
    for (const queue of [this.#queues.parked, this.#queues.dead]) await queue.remove(jobId('x', source, callId));
  }

  /** Drops a delivery; the reason stays in the ledger, beside that for which it had stopped. */
  async drop(
    source: string,
    callId: string,
    route: string,
    { reason, by, run }: DropReason,
  ): Promise<DeliveryEntry | undefined> {
    const before = await this.#ledger.read(source, callId);
    const old = before?.deliveries.find((delivery) => delivery.route === route);
    const place = { source, call_id: callId, route, ...(old ? { connection: old.connection } : {}) };
    const audit = run ? '' : writeAudit(by, { action: 'drop', ...place, reason });
    const why = { reason, ...(by ? { by: by.name } : {}) };
    const delivery = await this.#ledger.drop(source, callId, route, why, audit);
    if (delivery && old) await this.removeUnresolved(source, callId, old);
    return delivery;
  }

  /** Removes the job of a delivery from `parked` or `dead`. */
  async removeUnresolved(source: string, callId: string, delivery: DeliveryEntry): Promise<void> {
    const { state } = delivery;
    if (state === 'parked' || state === 'dead')
      await this.#unresolved(state).remove(unresolvedId(source, callId, delivery));
  }
}

/** Where the job of a delivery is: the one that will write it, or stands for it while it is parked or dead. Others have none. */
export function jobOfDelivery(
  { source, call_id }: Pick<LedgerEntry, 'source' | 'call_id'>,
  delivery: DeliveryEntry,
): { queue: string; id: string } | undefined {
  const { route, revision, replays, connection, state } = delivery;
  if (state === 'queued')
    return { queue: deliveriesQueue(connection), id: jobId('d', source, call_id, route, revision, replays) };
  if (state === 'parked') return { queue: PARKED_QUEUE, id: unresolvedId(source, call_id, delivery) };
  return state === 'dead' ? { queue: DEAD_QUEUE, id: unresolvedId(source, call_id, delivery) } : undefined;
}

function unresolvedId(source: string, callId: string, delivery: DeliveryEntry): string {
  return jobId('p', source, callId, delivery.route, delivery.revision, delivery.replays);
}
