/** A trace of the model, as Quint writes it: ITF, https://apalache-mc.org/docs/adr/015adr-trace.html */
import { readFileSync } from 'node:fs';

/** What can be seen of a state in Redis, under the names of the model. Nothing that is absent there is in it. */
export interface ModelState {
  /** By call and revision. */
  revisions: Record<string, { at: number; effect: string }>;
  /** By call and route. */
  deliveries: Record<
    string,
    { state: string; rev: string; replays: number; attempts: number; revised: number; displaced: string }
  >;
  open: string[];
  listed: string[];
  callJobs: string[];
  deliveryJobs: string[];
  leases: Record<string, string>;
  connection: {
    circuit: string;
    cause: string;
    tries: number;
    next: number;
    failures: number;
    probing: number;
    operator: string;
  };
  isPaused: boolean;
}

/** A step, with what was chosen for it. Absent: it has no such choice. */
export interface ModelStep {
  action: string;
  picks: Partial<{
    body: [call: string, revision: string];
    /** Of a call (call, revision), or of a delivery (call, route, revision, replays). */
    job: (string | number)[];
    p: [call: string, route: string];
    c: string;
    w: string;
    who: string;
    verdict: string;
    lag: number;
    luck: number;
    sees: number;
    ends: number;
    answers: boolean;
  }>;
  /** The model's time at which it happens, seconds. */
  at: number;
  after: ModelState;
}

type Raw = Record<string, unknown>;

interface RawState {
  'mbt::actionTaken': string;
  'mbt::nondetPicks': Record<string, { tag: string; value: unknown }>;
  clock: number;
  revs: [string[], Raw & { kept: boolean; at: number; effect: string }][];
  dlvs: [string[], ModelState['deliveries'][string]][];
  open: string[];
  listed: string[][];
  callJobs: string[][];
  deliveryJobs: (string | number)[][];
  leases: [string[], string][];
  conn: ModelState['connection'];
}

export function readTrace(file: string): ModelStep[] {
  const { states } = JSON.parse(readFileSync(file, 'utf8'), revive) as { states: RawState[] };
  return states.slice(1).map((state, index) => ({
    action: state['mbt::actionTaken'],
    picks: Object.fromEntries(
      Object.entries(state['mbt::nondetPicks']).flatMap(([name, { tag, value }]) =>
        tag === 'Some' ? [[name, value]] : [],
      ),
    ),
    at: (states[index] as RawState).clock,
    after: stateOf(state),
  }));
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const raw = value as Raw;
  if ('#bigint' in raw) return Number(raw['#bigint']);
  return raw['#map'] ?? raw['#set'] ?? raw['#tup'] ?? value;
}

function stateOf(state: RawState): ModelState {
  const { conn } = state;
  const join = (parts: (string | number)[]) => parts.join('/');
  const isPaused = conn.circuit === 'open' || conn.operator !== '';
  return {
    revisions: Object.fromEntries(
      state.revs.flatMap(([body, { kept, at, effect }]) => (kept ? [[join(body), { at, effect }]] : [])),
    ),
    deliveries: Object.fromEntries(
      state.dlvs.flatMap(([place, delivery]) => (delivery.state === '' ? [] : [[join(place), delivery]])),
    ),
    open: state.open.toSorted(),
    listed: state.listed.map(join).sort(),
    callJobs: state.callJobs.map(join).sort(),
    deliveryJobs: state.deliveryJobs.map(join).sort(),
    leases: Object.fromEntries(
      state.leases.flatMap(([place, holder]) => (holder === '' ? [] : [[join(place), holder]])),
    ),
    // Of a pause that is over nothing is kept.
    connection: conn.circuit === 'closed' ? { ...conn, cause: '', tries: 0, next: 0 } : conn,
    isPaused,
  };
}
