/**
 * Calls of a week as a store holds them, with faults in them, for pages that are looked at: each is routed and ends by the
 * ledger's own steps, at the time that it is given. The same seed gives the same calls.
 */
import { hash } from 'node:crypto';
import type { Omission } from '@wrapup/destination';
import { type DeliveryChange, revisionOf, type Store } from '@wrapup/queue';
import { beginAttempt } from './store.ts';

export interface DemoOptions {
  calls: number;
  /** Epoch ms of the end of the last one. */
  until: number;
  source?: string;
  agents: readonly string[];
  route: { route: string; connection: string };
  /** Ids of people's records, which calls are written to in turn. */
  people: readonly string[];
  /** Of a record in the CRM. */
  address?(object: string, id: string): string;
}

const DAY_MS = 24 * 3_600_000;
const [DAYS, OPENS, CLOSES] = [7, 8, 19];
/** Out of a hundred calls. */
const OUTCOMES = [
  ['connected', 46],
  ['voicemail', 18],
  ['no_answer', 17],
  ['voicemail_left', 8],
  ['busy', 6],
  ['failed', 5],
] as const;
const CAME_TO = [
  ['interested', 30],
  ['booked', 22],
  ['not_interested', 20],
  ['call_back', 18],
  ['wrong_number', 6],
  ['do_not_call', 4],
] as const;
const STOPS = [
  [
    'parked',
    'ambiguous_person',
    'Two contacts have this number.',
    'Choose the person, or merge the contacts in the CRM.',
  ],
  [
    'parked',
    'ambiguous_person',
    'Three contacts have this number.',
    'Choose the person, or merge the contacts in the CRM.',
  ],
  [
    'parked',
    'invalid_field',
    'HubSpot refused deal stage "won_back": it is no stage of the pipeline.',
    'Correct the stage in the mapping, then replay.',
  ],
  [
    'dead',
    'unavailable',
    'HubSpot answered 502 in all ten attempts.',
    'Replay when its status page says that it is up.',
  ],
] as const;
const BUDGET: Omission = {
  ...{ code: 'unknown_option', record: 'person', field: 'purchase_timeline' },
  reason: 'the account has no option "within six months"',
  at: { file: 'mappings/hubspot.yaml', line: 18, column: 5 },
};
const STAGE: Omission = {
  ...{
    code: 'unreadable_number',
    record: 'opportunity',
    field: 'amount',
    reason: '"65.000" is read differently in two countries',
  },
  at: { file: 'mappings/hubspot.yaml', line: 31, column: 5 },
};

/** @returns ids of the calls, the newest last */
export async function seedDemoCalls(store: Store, options: DemoOptions): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < options.calls; n += 1) ids.push(await seedCall(store, n, options));
  return ids;
}

async function seedCall(store: Store, n: number, options: DemoOptions): Promise<string> {
  const { calls, until, source = 'main', agents, route, people } = options;
  const draw = drawFor(n);
  const call_id = idOf(n);
  // Spread over the hours of work of seven days, more of them later in the week.
  const at = Math.sqrt((n + 0.5) / calls) * DAYS;
  const midnight = Math.floor(until / DAY_MS) * DAY_MS;
  const day = midnight - (DAYS - 1 - Math.min(DAYS - 1, Math.floor(at))) * DAY_MS;
  const hour = OPENS + (CLOSES - OPENS) * draw('hour');
  const ended_at = Math.min(until, Math.round(day + (hour * DAY_MS) / 24));
  const body = Buffer.from(JSON.stringify({ call: { call_id } }));
  const revision = revisionOf(body);
  const received = n % 97 === 0 ? 'reconciled' : 'webhook';
  const arrival = { source, call_id, body, received, verified: 'signature', received_at: ended_at + 4_000 } as const;
  await store.accept(arrival, 90);
  const outcome = pick(OUTCOMES, draw('outcome'));
  const isReached = outcome === 'connected';
  const duration = isReached ? Math.round(35 + 240 * draw('duration')) : Math.round(5 + 30 * draw('duration'));
  const agent_id = agents[Math.floor(agents.length * draw('agent') ** 1.5)] as string;
  const facts = {
    outcome,
    status: 'completed',
    agent_id,
    direction: n % 5 === 0 ? 'inbound' : 'outbound',
    ended_at,
    duration,
  };
  const [delivery] = await store.ledger.route(
    { source, call_id, revision },
    { effect: 'applied', facts: { ...facts, notes: [] }, wanted: [route] },
  );
  // The last ones are on their way.
  if (!delivery || n >= calls - 3) return call_id;
  const ref = { source, call_id, route: route.route, revision, replays: 0 };
  await beginAttempt(store, ref, 'a1b2c3d4e5f6');
  const took = 400 + 1_800 * draw('took') ** 3 + (draw('slow') > 0.97 ? 45_000 : 0);
  const result = isReached
    ? pick(CAME_TO, draw('result'))
    : outcome === 'no_answer' || outcome === 'busy'
      ? 'not_reached'
      : outcome.replace('_left', '');
  const stop = draw('stop') < 0.035 ? STOPS[Math.floor(STOPS.length * draw('why'))] : undefined;
  const change = stop ? stopped(stop, people, n) : written(n, { ...options, isReached, draw });
  await store.ledger.recordOutcome(ref, { ...change, result }, { took, ...(stop ? {} : { keptMs: 90 * DAY_MS }) });
  return call_id;
}

function stopped(
  [state, code, reason, hint]: (typeof STOPS)[number],
  people: readonly string[],
  n: number,
): DeliveryChange {
  const candidates = [0, 1].map((more) => people[(n + more) % people.length] as string);
  return { state, code, reason, hint, ...(code === 'ambiguous_person' ? { candidates } : {}) };
}

function written(
  n: number,
  { people, address, isReached, draw }: DemoOptions & { isReached: boolean; draw: Draw },
): DeliveryChange {
  const record = (name: string, object: string, id: string, did: 'created' | 'updated') => ({
    ...{ name, object, id, did },
    ...(address ? { url: address(object, id) } : {}),
  });
  const records = [
    record('person', 'contacts', people[n % people.length] as string, n % 3 === 0 ? 'created' : 'updated'),
    record('call_log', 'calls', `${9_000_000 + n}`, 'created'),
    ...(isReached && draw('task') < 0.4 ? [record('follow-up', 'tasks', `${5_000_000 + n}`, 'created')] : []),
  ];
  const notes = draw('omitted') < 0.03 ? [draw('which') < 0.6 ? BUDGET : STAGE] : [];
  return { state: 'written', records, notes, requests: 2.4 };
}

type Draw = (what: string) => number;

/** The same number from 0 to 1 for the same call and matter. */
function drawFor(n: number): Draw {
  return (what) => Number.parseInt(hash('sha256', `${n} ${what}`).slice(0, 8), 16) / 2 ** 32;
}

function idOf(n: number): string {
  const digits = hash('sha256', `demo call ${n}`);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}

function pick<Name extends string>(shares: readonly (readonly [Name, number])[], draw: number): Name {
  let left = draw * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [name, share] of shares) {
    left -= share;
    if (left < 0) return name;
  }
  return (shares[0] as readonly [Name, number])[0];
}
