/** The stage of one run: which logical processes there are, what they have sent, and what may happen next. */
import type { Config } from '@wrapup/config';
import type { RunningSandbox } from '@wrapup/sandbox';
import type { Redis } from 'ioredis';
import type { Intake } from '../../../packages/queue/src/index.ts';
import { makeRandom } from '../../support/random.ts';
import type { Decisions, Option } from '../decisions.ts';
import { type CrmRequest, installCrmGate } from '../world/crm-gate.ts';
import { installGlobals } from '../world/globals.ts';
import { RedisGate, type RedisRequest } from '../world/redis-gate.ts';
import { CRM, enter, type LogEntry, LogicalProcess, World } from '../world/world.ts';
import { type LogicalWorker, openLogicalIntake, openLogicalWorker } from './actors.ts';
import { EventRunner, MAX_SKEW_MS } from './events.ts';
import { isSettled, type Promised } from './invariants.ts';
import { type Observed, observe } from './observe.ts';
import { crmOutcomes, type LateAnswer, type Outcome, redisOutcomes } from './troubles.ts';
import { BEGIN, type Event, planWorkload, type Workload } from './workload.ts';

/** What runs share: servers, and what is loaded once. */
export interface Ground {
  redis: Redis;
  sandbox: RunningSandbox;
  configs: Config[];
  /** Scripts that Redis has, by the name that clients know them by. */
  loaded: Map<string, string>;
}

export type Waits = RedisRequest | CrmRequest | LateAnswer;

/** A place for a process that is started again when it has crashed. */
interface Place {
  name: string;
  skew: number;
  process: LogicalProcess;
  intake?: Intake;
  worker?: LogicalWorker;
}

/** Longer than a lock and a lease last, ms. */
const FREEZE_MS = 14_000;
/** Longer than the CRM's search takes to see a record, ms. */
const INDEXED_MS = 5_000;

/** What changes nothing that a line could find, or that could break a promise. */
const READS =
  /^(?:moveToActive|extendLock|getJobs|wrapup(?:ConnectionChanges|PausedQueues|ReadQueues|ReadIndex|ListBuckets|FindBuckets|UnresolvedCount|UnresolvedRead|Info)|(?:get|hget|hmget|hgetall|exists|hexists|smembers|scan|zrange\w*|zcard|pttl|lrange) |sadd connections|hset \S+:meta)/;

export class Stage {
  readonly world: World<Waits>;
  readonly gate: RedisGate;
  readonly workload: Workload;
  readonly promised: Promised;
  /** How often each thing went wrong. */
  readonly troubles = new Map<string, number>();
  readonly events: Event[];
  /** Scripts that ran, or of which it is unknown whether they did. */
  changes = 0;
  crmIs: 'well' | 'down' | 'refusing' = 'well';
  files: Config;
  /** Work of processes that is under way. */
  #underWay = new Set<LogicalProcess>();
  readonly #ground: Ground;
  readonly #decisions: Decisions;
  readonly #places: Place[] = [];
  /** What had changed when a line last looked at its queue. */
  readonly #looked = new Map<object, number>();
  /** Queues with a job that can be taken, as it was last seen. */
  #ready: ReadonlySet<string> = new Set();
  /** Ids of calls of which nothing was on its way. */
  #settled: ReadonlySet<string> = new Set();
  #looking: Promise<Observed> | undefined;
  #lookedAt = 0;
  #uninstall: (() => void)[] = [];

  constructor(ground: Ground, seed: number, decisions: Decisions, without: ReadonlySet<number>) {
    this.#ground = ground;
    this.#decisions = decisions;
    this.world = new World(seed, BEGIN);
    const { redis: shared, loaded } = ground;
    this.gate = new RedisGate(
      this.world,
      { shared, loaded },
      (request) => this.#hold(request),
      () => this.#look(),
    );
    this.workload = planWorkload(seed);
    this.events = this.workload.events.filter((_, place) => !without.has(place));
    const { calls, stalls } = this.workload;
    this.promised = { calls, stalls, acknowledged: new Map(), operatorPause: 'open' };
    this.files = ground.configs[0] as Config;
    const random = makeRandom(seed);
    for (const name of ['ingress-0', 'ingress-1', 'worker-0', 'worker-1']) {
      const skew = Math.round((random() * 2 - 1) * MAX_SKEW_MS);
      this.#places.push({ name, skew, process: new LogicalProcess(name, skew) });
    }
  }

  readonly runner = new EventRunner(this);

  async open(): Promise<void> {
    const { sandbox } = this.#ground;
    this.#uninstall = [
      installGlobals(this.world),
      this.gate.install(),
      installCrmGate(sandbox.hubspotUrl, (request) => this.#hold(request)),
    ];
    await this.gate.reset();
    enter(CRM, () => {
      sandbox.control.reset({ provisioned: true });
      sandbox.control.settings({ hubspot: { latency: 0, race_window: 0 } });
      sandbox.control.seed({
        records: { contacts: this.workload.known.map((phone) => ({ properties: { phone, firstname: 'Known' } })) },
      });
    });
    // Until then search does not see them.
    this.world.now += INDEXED_MS;
    await this.gate.tick(true);
    for (const place of this.#places) this.#start(place);
  }

  close(): void {
    for (const { process } of this.#places) this.world.end(process);
    for (const undo of this.#uninstall.reverse()) undo();
  }

  /** What Redis holds now, where it may have changed since that was asked last. */
  async observed(): Promise<Observed | undefined> {
    if (this.changes !== this.#lookedAt) this.#look();
    const looking = this.#looking;
    this.#looking = undefined;
    const seen = await looking;
    if (seen) this.#ready = seen.ready;
    if (seen) this.#settled = new Set(seen.calls.filter(isSettled).map(({ call_id }) => call_id));
    return seen;
  }

  #look(): void {
    if (this.changes === this.#lookedAt) return;
    this.#lookedAt = this.changes;
    this.#looking = observe(this.#ground.redis, this.world.now);
  }

  #hold(request: RedisRequest | CrmRequest): void {
    this.world.waiting.push(request);
  }

  /** Whether a process has work under way, which time alone may bring forward. */
  get isBusy(): boolean {
    const inHand = this.#places.some(({ process, worker }) => !process.isGone && (worker?.inHand ?? 0) > 0);
    return inHand || [...this.#underWay].some((process) => !process.isGone);
  }

  trouble(what: string): void {
    this.troubles.set(what, (this.troubles.get(what) ?? 0) + 1);
  }

  /** What may happen next. The first is what happens where nothing goes wrong; none: only time may pass. */
  options(withEvents = true): Option[] {
    const { world } = this;
    const options: Option[] = [];
    const due = [...world.timers]
      .filter(({ at, process }) => at <= world.now && process.frozen_until <= world.now)
      .sort((a, b) => a.at - b.at);
    options.push(...due.map(({ run }) => ({ weight: 64, run })));
    options.push(...world.ready().map((one) => ({ weight: 128, run: () => this.#goOn(one) })));
    for (const place of this.#places) {
      if (place.process.isGone) options.push({ weight: 32, run: () => this.#start(place) });
      options.push(...this.#looks(place));
    }
    const event = this.#nextEvent();
    if (event && withEvents) options.push({ weight: 48, run: () => this.runner.begin(event) });
    return options;
  }

  /** An operator decides about a call that has come to an end, or waits for a person; the rest comes at any time. */
  #nextEvent(): Event | undefined {
    const isDue = (event: Event) =>
      (event.do !== 'replay' && event.do !== 'drop') || this.#settled.has(this.workload.calls[event.call]?.id ?? '');
    const isQuiet = this.world.waiting.length === 0 && !this.isBusy && this.#ready.size === 0;
    return this.events.find(isDue) ?? (isQuiet ? this.events[0] : undefined);
  }

  /** Troubles that are no request’s. */
  troublesNow(): Option[] {
    const { world } = this;
    const running = this.#places.filter(({ process }) => !process.isGone && process.frozen_until <= world.now);
    const soon = { weight: 3, run: () => this.passToTimer() };
    if (!this.workload.stalls) return [soon];
    return [
      soon,
      ...running.map(({ process }) => ({ weight: 1, run: () => this.#freeze(process) })),
      { weight: 1, run: () => this.pass(FREEZE_MS, 'nothing happens for a while') },
    ];
  }

  #looks({ process, worker }: Place): Option[] {
    if (process.isGone || process.frozen_until > this.world.now) return [];
    const idle = worker?.lines.filter(
      ({ queue, backend }) => backend.isWaiting && this.#ready.has(queue) && this.#looked.get(backend) !== this.changes,
    );
    return (idle ?? []).map(({ backend }) => ({
      weight: 48,
      run: () => {
        this.#looked.set(backend, this.changes);
        enter(process, () => backend.ring());
      },
    }));
  }

  #freeze(process: LogicalProcess): void {
    this.trouble('a process stands still');
    process.frozen_until = this.world.now + FREEZE_MS;
    this.world.note({ who: process.name, what: `stands still for ${FREEZE_MS / 1000} s`, trouble: 'stands still' });
  }

  /** Lets time pass. */
  async pass(ms: number, why: string): Promise<void> {
    this.world.now += ms;
    this.world.note({ what: `${why}: ${ms / 1000} s pass` });
    await this.gate.tick(true);
    this.changes += 1;
    await this.observed();
  }

  /** Lets time pass until something is due. */
  async passToTimer(): Promise<void> {
    const { world } = this;
    const next = world.nextTimer();
    const at = Math.max(next?.at ?? 0, next?.process.frozen_until ?? 0);
    world.now = Math.max(world.now, at);
    await this.gate.tick();
  }

  async #goOn(one: Waits): Promise<void> {
    this.world.take(one);
    if (one.kind === 'redis') {
      if (!READS.test(one.what)) this.changes += 1;
      const { run, what } = this.#decisions.pick(redisOutcomes(one, this));
      await this.#carryOut(one, what, run);
    } else if (one.kind === 'crm') {
      const { run, what } = this.#decisions.pick(crmOutcomes(one, this));
      await this.#carryOut(one, what, run);
    } else {
      this.world.note({ who: one.process.name, what: one.what, call: one.call });
      one.deliver();
    }
  }

  async #carryOut(one: RedisRequest | CrmRequest, trouble: string, run: Outcome['run']): Promise<void> {
    const entry: LogEntry = { who: one.process.name, what: one.what, call: one.call, trouble };
    this.world.note(entry);
    if (trouble) this.trouble(trouble);
    entry.digest = (await run()) ?? '';
  }

  /** @param isSent whether what it has sent besides takes effect */
  async crash(process: LogicalProcess): Promise<void> {
    const sent = this.world.end(process);
    this.#underWay.delete(process);
    if (sent.length === 0) return;
    const isSent = this.#decisions.choose([1, 1]) === 1;
    if (!isSent) return;
    for (const one of sent) if (one.kind !== 'answer') await one.apply();
    for (const { what, call } of sent) this.world.note({ who: process.name, what, call, trouble: 'was sent before' });
  }

  #start(place: Place): void {
    const process = new LogicalProcess(place.name, place.skew);
    place.process = process;
    delete place.intake;
    delete place.worker;
    this.world.note({ who: place.name, what: 'starts' });
    enter(process, () => {
      if (place.name.startsWith('ingress')) place.intake = openLogicalIntake();
      else
        this.work(process, '', async () => {
          place.worker = await openLogicalWorker(this.files, () => this.files);
          return 'serves its queues';
        });
    });
  }

  ingress(n: number): { process: LogicalProcess; intake: Intake } | undefined {
    const { process, intake } = this.#places[n] as Place;
    return process.isGone || !intake ? undefined : { process, intake };
  }

  get configs(): readonly Config[] {
    return this.#ground.configs;
  }

  work(process: LogicalProcess, what: string, work: () => Promise<string>): void {
    this.#underWay.add(process);
    enter(process, () => {
      work().then(
        (said) => this.#ended(process, what ? `${what}: ${said}` : said),
        (error: Error) => this.#ended(process, `${what} fails: ${error.message}`),
      );
    });
  }

  #ended(process: LogicalProcess, said: string): void {
    this.#underWay.delete(process);
    if (said) this.world.note({ who: process.name, what: said });
  }

  /** Everything that was broken works again. */
  repair(): void {
    this.crmIs = 'well';
    for (const { process } of this.#places) process.frozen_until = 0;
    this.changes += 1;
  }
}
