/**
 * What comes in during a soak: calls of people who are new, known to the CRM and remembered from minutes ago, with duplicates,
 * revisions and calls that come again when the ledger has forgotten them; callers that are looked up before; and people and
 * programs that look at the dashboard.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openEndpoint } from '../../packages/http/test/support/endpoint.ts';
import { checkDoubles, checkRun, type Verdict, waitUntilSettled } from '../faults/check.ts';
import { INDEXED } from '../faults/run-fault.ts';
import type { FaultSystem } from '../faults/system.ts';
import { type PlannedCall, planCalls, type SentCall, seedPeople, sendCalls } from '../faults/workload.ts';
import { makeRandom, pick, type Random } from '../support/random.ts';

/** Calls of one wave come over so long, ms. */
const WAVE_MS = 60_000;
/** Waves in a row that come from the same people. */
const SAME_PEOPLE = 3;
/** Share of callers who are looked up while the phone rings. */
const LOOKED_UP = 0.5;
/** Share of requests that the HTTP endpoint refuses or breaks. */
const ENDPOINT_FAILS = 0.01;
/** One call of so many comes again when the ledger has forgotten it. */
const AGAIN = 50;

const PAGES = ['/', '/calls', '/parked', '/dead', '/connections', '/omissions', '/audit', '/metrics'];
const API = ['/calls', '/parked', '/dead', '/connections', '/quotas', '/omissions', '/deliveries'];

export interface Counts {
  waves: number;
  calls: number;
  acknowledged: number;
  /** Ways in which a call came again: at once, with other bytes, or after the ledger had forgotten it. */
  duplicates: number;
  revisions: number;
  again: number;
  lookups: number;
  pages: number;
  api: number;
  /** Events that the HTTP endpoint took. */
  events: number;
}

/** Answers other than 2xx of pages and API, by status; 0: none came. */
export type Refused = Record<string, number>;

/** An HTTP endpoint that fails now and then, and knows which events it took. */
export async function openEvents(random: Random) {
  const calls = new Map<string, Set<string>>();
  const shared: string[] = [];
  const ids = new Map<string, string>();
  const endpoint = await openEndpoint((response, { headers, body }) => {
    endpoint.received.length = 0;
    const luck = random();
    if (luck < ENDPOINT_FAILS / 2) {
      response.writeHead(503);
      response.end();
      return;
    }
    const id = String(headers['webhook-id']);
    const call = (body as { data?: { call?: { id?: string } } }).data?.call?.id ?? '';
    if ((ids.get(id) ?? call) !== call) shared.push(`${call}: its event has the id of another call`);
    ids.set(id, call);
    calls.set(call, (calls.get(call) ?? new Set()).add(id));
    if (luck < ENDPOINT_FAILS) response.destroy();
    else response.end('taken');
  });
  return { endpoint, calls, ids, shared };
}

export type Events = Awaited<ReturnType<typeof openEvents>>;

export class Traffic {
  readonly counts: Counts = {
    ...{ waves: 0, calls: 0, acknowledged: 0, duplicates: 0, revisions: 0, again: 0 },
    ...{ lookups: 0, pages: 0, api: 0, events: 0 },
  };
  readonly refused: Refused = {};
  readonly verdict: Verdict = { calls: 0, acknowledged: 0, written: 0, parked: 0, dead: 0, broken: [] };
  /** When each call was sent first, epoch ms, until it is in the CRM. */
  readonly sent = new Map<string, number>();
  readonly #system: FaultSystem;
  readonly #events: Events;
  readonly #random: Random;
  readonly #rate: number;
  readonly #all: Pick<SentCall, 'id' | 'phone'>[] = [];
  readonly #checks: Promise<void>[] = [];
  #over = false;

  /** @param rate calls in a second */
  constructor(system: FaultSystem, events: Events, { seed, rate }: { seed: number; rate: number }) {
    this.#system = system;
    this.#events = events;
    this.#random = makeRandom(seed);
    this.#rate = rate;
  }

  stop(): void {
    this.#over = true;
  }

  /** Sends waves until it is stopped. Each is looked at while the ledger still knows it. */
  async calls(): Promise<void> {
    for (let wave = 0; !this.#over; wave += 1) {
      const calls = Math.round((this.#rate * WAVE_MS) / 1_000);
      const planned = planCalls(`soak-${wave}`, Math.floor(wave / SAME_PEOPLE), this.#random, {
        calls,
        revisions: 0.1,
      });
      if (wave % SAME_PEOPLE === 0) {
        seedPeople(this.#system, planned);
        await pause(INDEXED);
      }
      for (const { copies } of planned) this.counts.duplicates += copies - 1;
      const sent = await sendCalls(this.#system, planned, this.#random, { share: 0 }, WAVE_MS, (call) =>
        this.#ring(call),
      );
      this.counts.waves += 1;
      this.counts.revisions += sent.filter(({ revised }) => revised).length;
      this.#all.push(...sent.map(({ id, phone }) => ({ id, phone })));
      this.#checks.push(this.#check(sent));
    }
  }

  /** Pages and API, about two requests a second. */
  async lookAround(url: string, headers: { page: string; api: string }): Promise<void> {
    const random = makeRandom(1);
    while (!this.#over) {
      const [recent = ''] = [...this.sent.keys()].slice(-1);
      const isApi = random() < 0.5;
      const path = isApi
        ? `/api/v1${random() < 0.2 ? `/calls/main/${recent}` : pick(random, API)}`
        : random() < 0.2
          ? `/calls/${recent}?source=main`
          : pick(random, PAGES);
      const status = await look(`${url}${path}`, isApi ? headers.api : headers.page);
      this.counts[isApi ? 'api' : 'pages'] += 1;
      if (status < 200 || status > 299) {
        const shown = `${status} ${path.replace(recent, '…')}`;
        this.refused[shown] = (this.refused[shown] ?? 0) + 1;
      }
      await pause(random() * 1_000);
    }
  }

  /** Waits for what is still looked at, and looks once more at all together. */
  async finish(): Promise<void> {
    await Promise.all(this.#checks);
    this.verdict.broken.push(...checkDoubles(this.#system, this.#all), ...this.#events.shared);
    this.counts.events = this.#events.ids.size;
  }

  async #ring(call: PlannedCall): Promise<void> {
    this.counts.calls += 1;
    if (this.#random() < LOOKED_UP) {
      this.counts.lookups += 1;
      await this.#system.askCaller(call.phone);
    }
    this.sent.set(call.id, Date.now());
  }

  async #check(sent: SentCall[]): Promise<void> {
    const { ledger_s = 0 } = this.#system.setup.soak ?? {};
    const acknowledged = sent.filter((call) => call.acknowledged);
    this.counts.acknowledged += acknowledged.length;
    // In the middle of its time in the ledger at the earliest, and before the end of it.
    for (let waited = 0; waited < ledger_s * 400 && !this.#over; waited += 500) await pause(500);
    const moving = await waitUntilSettled(this.#system, sent, ledger_s * 400);
    const { broken, ...counted } = await checkRun(this.#system, sent, moving);
    for (const name of ['calls', 'acknowledged', 'written', 'parked', 'dead'] as const)
      this.verdict[name] += counted[name];
    this.verdict.broken.push(...broken);
    for (const { id } of acknowledged)
      if (!this.#events.calls.has(id) && !(await this.#isStopped(id)))
        this.verdict.broken.push(`${id}: no event of it came`);
    for (const { id } of sent) this.sent.delete(id);
    const once_more = acknowledged.filter((_, n) => n % AGAIN === 0);
    for (let waited = 0; waited < ledger_s * 700 && !this.#over; waited += 500) await pause(500);
    if (this.#over) return;
    for (const { payload } of once_more) if ((await this.#system.post(payload)) === 202) this.counts.again += 1;
  }

  async #isStopped(id: string): Promise<boolean> {
    const entry = await this.#system.store.ledger.read('main', id);
    return entry?.deliveries.some(({ state }) => state === 'parked' || state === 'dead') ?? false;
  }
}

async function look(url: string, authorization: string): Promise<number> {
  try {
    const answer = await fetch(url, {
      headers: { authorization },
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
