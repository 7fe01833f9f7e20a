/** What comes to the system in one run, the same for the same seed: calls and what comes again of them, operators, troubles. */
import { samplePayload } from '../../../packages/synthflow/src/index.ts';
import { phoneOf } from '../../support/phone.ts';
import { makeRandom, pick, type Random, upTo } from '../../support/random.ts';

export interface PlannedCall {
  id: string;
  phone: string;
  /** What it says of its person: of the call that ended last, it has to stand in the CRM. */
  title: string;
  /** Epoch ms. */
  ended_at: number;
  /** What comes of it, first to last: the call itself, the same in other bytes, more of it, something that contradicts. */
  bodies: Buffer[];
}

/** One thing that happens to the system, at a moment that the scheduler chooses. */
export type Event =
  | { do: 'send'; call: number; body: number; ingress: number; tries: number }
  | { do: 'reconcile'; call: number }
  | { do: 'pause' | 'resume' | 'sweep' | 'deploy' }
  | { do: 'replay' | 'drop'; call: number }
  | { do: 'crm'; is: 'well' | 'down' | 'refusing' };

export interface Workload {
  calls: PlannedCall[];
  /** Numbers that the CRM has a person for. */
  known: string[];
  events: Event[];
  /** Processes stand still, and time passes, for longer than a lease holds. */
  stalls: boolean;
}

/** When the first call of every run ended. */
export const BEGIN = Date.parse('2026-03-02T09:00:00Z');
const MINUTE_MS = 60_000;

export function planWorkload(seed: number): Workload {
  const random = makeRandom(seed);
  const phones = Array.from({ length: 1 + upTo(random, 2) }, (_, n) => phoneOf(n));
  const calls = Array.from({ length: 2 + upTo(random, 3) }, (_, n) => planCall(n, pick(random, phones)));
  const events: Event[] = calls.flatMap((_, call) => eventsOf(call, random));
  if (random() < 0.4) insert(events, random, [{ do: 'pause' }, { do: 'resume' }]);
  if (random() < 0.3)
    insert(events, random, [
      { do: 'crm', is: 'down' },
      { do: 'crm', is: 'well' },
    ]);
  if (random() < 0.2)
    insert(events, random, [
      { do: 'crm', is: 'refusing' },
      { do: 'crm', is: 'well' },
    ]);
  if (random() < 0.3) insert(events, random, [{ do: 'deploy' }]);
  if (random() < 0.5) insert(events, random, [{ do: 'sweep' }]);
  return { calls, known: phones.filter(() => random() < 0.4), events, stalls: random() < 0.5 };
}

function planCall(n: number, phone: string): PlannedCall {
  const started = BEGIN - 60 * MINUTE_MS + n * MINUTE_MS;
  const title = `Title ${n}`;
  const base = {
    ...{ call_id: `call-${n}`, phone, name: 'Ada Example', duration: 30 },
    start_time: new Date(started).toISOString(),
    collected: { title, email: null },
  };
  const bodies = [
    base,
    { ...base, metadata: { again: true } },
    { ...base, collected: { ...base.collected, budget: 100 + n } },
    { ...base, name: 'Eve Example' },
  ].map((said) => Buffer.from(JSON.stringify(samplePayload('connected', said))));
  return { id: base.call_id, phone, title, ended_at: started + 30_000, bodies };
}

function eventsOf(call: number, random: Random): Event[] {
  const send = (body: number): Event => ({ do: 'send', call, body, ingress: upTo(random, 2), tries: 3 });
  const events = [send(0)];
  if (random() < 0.4) events.push(send(0));
  if (random() < 0.4) events.push(send(1 + upTo(random, 3)));
  if (random() < 0.2) events.push({ do: 'reconcile', call });
  if (random() < 0.5) events.push({ do: 'replay', call });
  if (random() < 0.2) events.push({ do: 'drop', call });
  return events;
}

/** Puts further events in between, in their own order. */
function insert(events: Event[], random: Random, more: Event[]): void {
  let from = 0;
  for (const event of more) {
    from += upTo(random, events.length - from + 1);
    events.splice(from, 0, event);
    from += 1;
  }
}

export function describeEvent(event: Event): string {
  const WHAT = ['call', 'again in other bytes, call', 'with more, call', 'with a contradiction, call'];
  switch (event.do) {
    case 'send':
      return `${WHAT[event.body]} ${event.call} is sent to ingress-${event.ingress}`;
    case 'reconcile':
      return `reconciliation brings call ${event.call}`;
    case 'replay':
    case 'drop':
      return `an operator asks to ${event.do} call ${event.call}`;
    case 'crm':
      return `the CRM is ${event.is}`;
    case 'sweep':
      return 'a sweep begins';
    case 'deploy':
      return 'the configuration changes';
    default:
      return `an operator asks to ${event.do} the connection`;
  }
}
