/** The acceptor takes what the model does, all of it and nothing else, and a journal that was tampered with is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeys } from '../../packages/queue/src/redis/keys.ts';
import { makeRandom, pick, upTo } from '../support/random.ts';
import { type Acceptance, CallAcceptor, type CallState, NO_CALL } from './accept.ts';
import { CLOSED, ConnectionAcceptor, type ConnectionState } from './accept-connection.ts';
import { JournalReader, readSteps } from './journal.ts';
import { runModel } from './quint.ts';
import { type ModelState, readTrace } from './trace.ts';

const TRACES = 150;
const STEPS = 60;
/** As the model has it. */
const LIMITS = { attempts: 3 };
const CALLS = ['c1', 'c2'];

let folder: string;
/** What is seen of each call, and of the connection, over each trace. */
let calls: CallState[][];
let connections: ConnectionState[][];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wrapup-accept-'));
  const made = { seed: 23, samples: TRACES, steps: STEPS, invariants: ['kept'], traces: folder };
  expect(await runModel(made)).toBe('holds');
  const traces = Array.from({ length: TRACES }, (_, n) => readTrace(join(folder, `${n}.itf.json`)));
  calls = traces.flatMap((steps) => CALLS.map((call) => steps.map(({ after }) => seenOf(after, call))));
  connections = traces.map((steps) => steps.map(({ after }) => after.connection));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a journal would have of a call. Of a lease it has the holder until the lease ends, whether it is dead or not. */
function seenOf(state: ModelState, call: string): CallState {
  const own = <T>(all: Record<string, T>): [string, T][] =>
    Object.entries(all).flatMap(([name, value]) =>
      name.startsWith(`${call}/`) ? [[name.slice(call.length + 1), value]] : [],
    );
  return {
    revisions: Object.fromEntries(own(state.revisions)),
    deliveries: Object.fromEntries(own(state.deliveries)),
    open: state.open.includes(call),
    listed: state.listed.flatMap((item) => (item.startsWith(`${call}/`) ? [item.slice(call.length + 1)] : [])),
    leases: Object.fromEntries(own(state.leases).map(([route]) => [route, 'held'])),
  };
}

interface Acceptor<S> {
  accept(state: S): Acceptance;
}

/** @returns what was refused, or undefined; and into `taken` the steps that were seen */
function follow<S>(acceptor: Acceptor<S>, states: readonly S[], taken = new Set<string>()): string | undefined {
  for (const [n, state] of states.entries()) {
    const answer = acceptor.accept(state);
    if ('refused' in answer) return `state ${n}: ${answer.refused}`;
    for (const step of answer.steps) taken.add(step.replace(/ (log|task)$/, ''));
  }
  return undefined;
}

describe('what the model does', () => {
  it('is accepted, call by call, whatever the step', () => {
    const taken = new Set<string>();
    for (const states of calls) expect(follow(new CallAcceptor(LIMITS), states, taken)).toBeUndefined();
    const all = [
      'judge applied',
      'judge equal',
      'judge parked',
      'note written',
      'note parked',
      'note dead',
      'note queued',
    ];
    expect([...taken].sort()).toEqual([...all, 'arrive', 'begin', 'drop', 'end', 'free', 'replay'].sort());
  });

  it('is accepted of the connection', () => {
    const taken = new Set<string>();
    for (const states of connections) expect(follow(new ConnectionAcceptor(), states, taken)).toBeUndefined();
    expect(taken.size).toBeGreaterThan(8);
  });

  it('is distinguished from what it never does: one thing of one state changed at random', () => {
    const random = makeRandom(4);
    const seen = new Set<string>();
    for (const states of calls)
      for (const [n, state] of states.entries()) seen.add(JSON.stringify([states[n - 1] ?? NO_CALL, state]));
    let [tampered, accepted] = [0, 0];
    for (const states of calls) {
      const at = upTo(random, states.length);
      const changed = tamper(states[at] as CallState, random);
      // The model itself may do that, elsewhere.
      if (!changed || seen.has(JSON.stringify([states[at - 1] ?? NO_CALL, changed]))) continue;
      tampered += 1;
      if (follow(new CallAcceptor(LIMITS), [...states.slice(0, at), changed, ...states.slice(at)]) === undefined)
        accepted += 1;
    }
    expect(tampered).toBeGreaterThan(150);
    // Some are right as they are: an arrival at another second, a call that leaves the open ones a step earlier.
    expect(accepted / tampered).toBeLessThan(0.06);
  });
});

function tamper(state: CallState, random: () => number): CallState | undefined {
  const copy = structuredClone(state);
  const [route] = Object.keys(copy.deliveries);
  const [rev] = Object.keys(copy.revisions);
  const delivery = route === undefined ? undefined : copy.deliveries[route];
  const body = rev === undefined ? undefined : copy.revisions[rev];
  if (!delivery || !body || rev === undefined || route === undefined) return undefined;
  const { state: was } = delivery;
  pick(random, [
    () => {
      delivery.state = pick(
        random,
        ['queued', 'written', 'parked', 'dead', 'dropped'].filter((one) => one !== was),
      );
    },
    () => {
      delivery.attempts += pick(random, [-1, 1, 2]);
    },
    () => {
      delivery.replays += pick(random, [-1, 1]);
    },
    () => {
      delivery.rev = pick(
        random,
        ['r1', 'r2', 'r3'].filter((one) => one !== delivery.rev),
      );
    },
    () => {
      body.effect = pick(
        random,
        ['', 'applied', 'equal', 'parked'].filter((one) => one !== body.effect),
      );
    },
    () => {
      delete copy.revisions[rev];
    },
    () => {
      copy.listed = copy.listed.length > 0 ? [] : [`${route}/parked`];
    },
    () => {
      copy.open = !copy.open;
    },
  ])();
  return copy;
}

describe('a journal that is not what the model does', () => {
  const [at, later] = [1_000, 2_000];
  const delivery = { state: 'queued', rev: 'a', replays: 0, attempts: 0, revised: at, displaced: '' };
  const came: CallState = { ...NO_CALL, revisions: { a: { at, effect: '' } }, open: true };
  const judged: CallState = { ...came, revisions: { a: { at, effect: 'applied' } }, deliveries: { log: delivery } };
  const begun: CallState = { ...judged, deliveries: { log: { ...delivery, attempts: 1 } }, leases: { log: 'one' } };
  const written: CallState = {
    ...judged,
    ...{ deliveries: { log: { ...delivery, attempts: 1, state: 'written' } }, open: false },
  };
  const usual = [came, judged, begun, written];
  const revised: CallState = {
    ...written,
    revisions: { ...written.revisions, b: { at: later, effect: '' } },
    open: true,
  };
  const isRefused = (...states: CallState[]) => follow(new CallAcceptor({ attempts: 10 }), states);

  it('begins with one that it does', () => {
    expect(isRefused(...usual)).toBeUndefined();
    expect(isRefused(...usual, revised)).toBeUndefined();
  });

  it.each<[string, CallState[], RegExp]>([
    [
      'two deliveries at once',
      [came, judged, begun, { ...begun, deliveries: { log: { ...delivery, attempts: 2 } }, leases: { log: 'two' } }],
      /began while another worker was at it/,
    ],
    [
      'a delivery that is written twice',
      [...usual, { ...written, deliveries: { log: { ...delivery, attempts: 2, state: 'written' } } }],
      /from written to written/,
    ],
    [
      'an outcome with no attempt',
      [came, judged, { ...written, deliveries: { log: { ...delivery, state: 'written' } } }],
      /no attempt/,
    ],
    ['an acknowledged call that is lost', [came, NO_CALL], /was kept and is gone/],
    [
      'a call that leaves the open ones unread',
      [came, { ...came, open: false }],
      /not judged, and the call is not open/,
    ],
    [
      'a delivery that leaves them on its way',
      [came, judged, { ...judged, open: false }],
      /is on its way, and the call is not open/,
    ],
    [
      'an older revision that wins',
      [
        ...usual,
        { ...revised, revisions: { ...written.revisions, b: { at: at - 1, effect: '' } } },
        {
          ...revised,
          revisions: { ...written.revisions, b: { at: at - 1, effect: 'applied' } },
          deliveries: { log: { ...delivery, rev: 'b' } },
        },
      ],
      /deliveries is .*"rev":"b".*, and the model says .*"rev":"a"/,
    ],
    [
      'a revision that parks what is on its way',
      [
        came,
        judged,
        { ...judged, revisions: { ...judged.revisions, b: { at: later, effect: '' } } },
        {
          ...judged,
          revisions: { ...judged.revisions, b: { at: later, effect: 'parked' } },
          deliveries: { log: { ...delivery, rev: 'b', state: 'parked', displaced: 'a' } },
          listed: ['log/parked'],
        },
      ],
      /while another is on its way/,
    ],
    [
      'a delivery that is parked and not listed',
      [came, judged, begun, { ...written, deliveries: { log: { ...delivery, attempts: 1, state: 'parked' } } }],
      /listed is/,
    ],
    [
      'one that is given up after its first attempt',
      [
        came,
        judged,
        begun,
        { ...written, deliveries: { log: { ...delivery, attempts: 1, state: 'dead' } }, listed: ['log/dead'] },
      ],
      /dead after 1 attempts/,
    ],
    [
      'a lease that goes to another',
      [came, judged, begun, { ...begun, leases: { log: 'two' } }],
      /from one to another/,
    ],
    [
      'a replay that is no other delivery',
      [...usual, { ...begun, deliveries: { log: { ...delivery, attempts: 0 } }, leases: {} }],
      /from written to queued/,
    ],
  ])('%s', (_, states, why) => {
    expect(isRefused(...states)).toMatch(why);
  });

  it('a pause that the wrong owner ends', () => {
    const isWrong = (...states: ConnectionState[]) => follow(new ConnectionAcceptor(), states);
    const failing = [1, 2, 3, 4].map((failures) => ({ ...CLOSED, failures }));
    const open = { ...CLOSED, circuit: 'open', cause: 'outage', next: 5 };
    const claimed = { ...open, probing: 40 };
    const trial = { ...open, circuit: 'trial', next: 9 };
    const paused = { ...open, operator: 'ann' };
    expect(isWrong(...failing, open, claimed, trial, CLOSED)).toBeUndefined();
    expect(
      isWrong(...failing, open, paused, { ...paused, probing: 40 }, { ...trial, operator: 'ann' }),
    ).toBeUndefined();
    // A probe that is answered lifts the operator's pause, too.
    expect(isWrong(...failing, open, paused, { ...paused, probing: 40 }, trial)).toMatch(/does not follow/);
    // An operator who resumes lifts the circuit's, too.
    expect(isWrong(...failing, open, paused, CLOSED)).toMatch(/does not follow/);
    // Another operator takes it over.
    expect(isWrong(...failing, open, paused, { ...paused, operator: 'ben' })).toMatch(/does not follow/);
    // The circuit closes with no probe, and opens with no outage.
    expect(isWrong(...failing, open, trial)).toMatch(/does not follow/);
    expect(isWrong(open)).toMatch(/does not follow/);
  });
});

describe('the journal as Redis writes it', () => {
  const keys = makeKeys('model');
  const lease = keys.lease('delivery:main:c1:log');
  const command = (...words: string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  const hset = (field: string, value: object) =>
    command('HSET', keys.ledger('main', 'c1'), field, JSON.stringify(value));
  const dlv = (attempts: number) =>
    hset('dlv:log', { route: 'log', state: 'queued', revision: 'a', replays: 0, attempts, revised: 5 });
  const arrival = [
    command('MULTI'),
    command('SET', keys.payload('main', 'c1', 'a'), 'bytes \r\n of a body', 'PXAT', '99'),
    hset('rev:a', { at: 5 }),
    command('ZADD', keys.open, '5', 'main:c1'),
    command('EXEC'),
  ].join('');
  const judged = [command('MULTI'), hset('rev:a', { at: 5, effect: 'added' }), dlv(0), command('EXEC')].join('');
  const begun = [command('MULTI'), command('SET', lease, 'one', 'PXAT', '9'), dlv(1), command('EXEC')].join('');
  const again = [
    command('MULTI'),
    command('DEL', lease),
    command('SET', lease, 'two', 'PXAT', '99'),
    dlv(2),
    command('EXEC'),
  ].join('');
  const read = (text: string) => {
    const reader = new JournalReader(keys, 'main');
    return [...readSteps(Buffer.from(text))].flatMap((step) => [...reader.read(step)]);
  };

  it('is read step by step, with a lease that ran out ahead of the one that takes it anew', () => {
    const seen = read(`#TS:1796083242\r\n${command('SELECT', '0')}${arrival}${judged}${begun}${again}`);
    expect(seen.map(({ state }) => 'leases' in state && state.leases)).toEqual([
      {},
      {},
      { log: 'one' },
      {},
      { log: 'two' },
    ]);
    const states = seen.flatMap((one) => (one.of === 'call' ? [one.state] : []));
    expect(states[1]).toMatchObject({ open: true, revisions: { a: { at: 5, effect: 'applied' } } });
    expect(follow(new CallAcceptor(LIMITS), states)).toBeUndefined();
    // The same lease, not yet run out.
    const stolen = read(arrival + judged + begun + again.replace(command('DEL', lease), ''));
    const calls = stolen.flatMap((one) => (one.of === 'call' ? [one.state] : []));
    expect(follow(new CallAcceptor(LIMITS), calls)).toMatch(/while another worker was at it/);
  });

  it('ends where it breaks off, with no half of a step', () => {
    const whole = arrival + judged;
    expect(read(whole)).toHaveLength(2);
    for (let bytes = arrival.length; bytes < whole.length; bytes += 7)
      expect(read(whole.slice(0, bytes))).toHaveLength(1);
    expect(() => read('REDIS0011')).not.toThrow();
    expect(() => read('REDIS0011\r\n')).toThrow(/no command of an append-only file/);
  });

  it('says of a connection who has paused it', () => {
    const connection = keys.connection('sales');
    const seen = read(
      command('HSETNX', connection, 'operator', '{"by":"ann"}') + command('HINCRBY', connection, 'failures', '1'),
    );
    expect(seen).toMatchObject([{ state: { operator: 'ann' } }, { state: { operator: 'ann', failures: 1 } }]);
  });
});
