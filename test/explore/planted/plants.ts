/**
 * Faults that are planted on purpose, one guard taken away each, to see that the explorer finds them. Each is a change of the
 * text of one source file as it is loaded; nothing on the disk changes.
 */
export interface Plant {
  /** For the command line: `npm run explore -- --planted rerun-takes`. */
  name: string;
  /** What is gone, for the table. */
  what: string;
  /** From the root of the repository. */
  file: string;
  /** Stands there once. */
  find: string;
  replace: string;
  /** A file of tests that finds it; without one the explorer does. */
  test?: string;
}

const ACCEPT = 'packages/queue/src/intake/accept-script.ts';
const ROUTE = 'packages/queue/src/ledger/route-script.ts';
const DELIVERY = 'packages/queue/src/ledger/delivery-scripts.ts';
const LEDGER = 'packages/queue/src/ledger/scripts.ts';
const CONNECTION = 'packages/queue/src/connections/scripts.ts';
const ENGINE = 'packages/destination/src/engine';
const HUBSPOT = 'packages/hubspot/src/keys/key-ladder.ts';
const WORKER = 'apps/worker/src';

const READ = 'local delivery = readQueued(KEYS[1], ARGV[1], ARGV[2], ARGV[3])\n';
const READ_UNCHECKED = `local have = redis.call('HGET', KEYS[1], 'dlv:' .. ARGV[1])\nlocal delivery = have and cjson.decode(have)\n`;

export const PLANTS: Plant[] = [
  {
    name: 'acknowledged-too-early',
    what: 'Ingress waits for Redis before it acknowledges',
    file: 'packages/queue/src/intake/write-batcher.ts',
    find: 'for (const { reject } of together) reject(error as Error);',
    replace: `for (const { resolve } of together) resolve('accepted' as never);`,
  },
  {
    name: 'no-job',
    what: 'The job is added by the step that keeps the call, and by the one that routes it',
    file: 'packages/queue/src/queues/atomic-enqueue.ts',
    find: 'local id = add(slice(KEYS, 3 + queue * addKeys, addKeys), slice(ARGV, at + 2, jobArgs - 2))',
    replace: `local id = ''`,
  },
  {
    name: 'revision-not-noted',
    what: 'What comes again of a call is noted as a revision',
    file: ACCEPT,
    find: `else
  redis.call('HSET', KEYS[1], field, revision)
end`,
    replace: 'end',
  },
  {
    name: 'no-payload',
    what: 'The bytes are kept in the same step',
    file: ACCEPT,
    find: `redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[4])`,
    replace: '',
  },
  {
    name: 'payload-ends-early',
    what: 'A payload is kept until its call has come to its end',
    file: ACCEPT,
    find: `redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[4])`,
    replace: `redis.call('SET', KEYS[4], ARGV[3], 'EX', 5)`,
  },
  {
    name: 'rerun-takes',
    what: 'A rerun takes no delivery from another revision',
    file: ROUTE,
    find: 'return not judged and delivery.revision ~= revision',
    replace: 'return delivery.revision ~= revision',
    test: 'packages/queue/test/ledger.test.ts',
  },
  {
    name: 'parks-what-is-under-way',
    what: 'A revision that is parked waits for the delivery that is on its way',
    file: ROUTE,
    find: `then return stop('waits') end`,
    replace: 'then end',
    test: 'apps/worker/test/revisions.test.ts',
  },
  {
    name: 'judged-by-the-old',
    what: 'A revision is judged again where another one was delivered meanwhile',
    file: ROUTE,
    find: `then return stop('again') end`,
    replace: 'then end',
    test: 'apps/worker/test/revisions.test.ts',
  },
  {
    name: 'taken-and-counted',
    what: 'A parked delivery that a later revision takes leaves the index',
    file: ROUTE,
    find: 'removeItem(KEYS[2], want.route, delivery)',
    replace: '',
    test: 'packages/queue/test/ledger.test.ts',
  },
  {
    name: 'parked-and-not-counted',
    what: 'A delivery that is parked with its revision enters the index',
    file: ROUTE,
    find: 'addItem(KEYS[2], want.route, delivery, delivery.since)',
    replace: '',
  },
  {
    name: 'takes-the-newer',
    what: 'An older revision takes no delivery from a newer one',
    file: ROUTE,
    find: 'and (park or rev.at >= (delivery.revised or 0))',
    replace: '',
    test: 'packages/queue/test/ledger.test.ts',
  },
  {
    name: 'begins-what-is-over',
    what: 'An attempt begins only for the revision and the replay that the ledger says',
    file: DELIVERY,
    find: `${READ}if not delivery then return nil end`,
    replace: `${READ_UNCHECKED}if not delivery or delivery.state ~= 'queued' then return nil end`,
    test: 'packages/queue/test/delivery-scripts.test.ts',
  },
  {
    name: 'notes-what-is-over',
    what: 'The outcome of an attempt counts only while the ledger says so',
    file: DELIVERY,
    find: 'local delivery = ifQueued(entry[field], ARGV[2], ARGV[3])',
    replace: 'local delivery = entry[field] and cjson.decode(entry[field])',
    test: 'packages/queue/test/delivery-scripts.test.ts',
  },
  {
    name: 'no-lease-of-the-delivery',
    what: 'One worker at a time is at a delivery',
    file: DELIVERY,
    find: 'if not isFree(holder) then return {} end',
    replace: '',
    test: 'packages/queue/test/delivery-scripts.test.ts',
  },
  {
    name: 'ends-with-a-delivery',
    what: 'A call with a delivery on its way stays open',
    file: DELIVERY,
    find: `if state == 'queued' then return end`,
    replace: '',
    test: 'packages/queue/test/delivery-scripts.test.ts',
  },
  {
    name: 'ends-unread',
    what: 'A call with a revision that no worker has read stays open',
    file: DELIVERY,
    find: 'if not rev.effect then return end',
    replace: '',
    test: 'packages/queue/test/delivery-scripts.test.ts',
  },
  {
    name: 'replayed-and-counted',
    what: 'What is replayed or dropped leaves the index',
    file: LEDGER,
    find: 'removeItem(KEYS[3], ARGV[1], delivery)\nlocal state',
    replace: 'local state',
  },
  {
    name: 'replayed-under-the-old-name',
    what: 'A replay has a job of its own name',
    file: LEDGER,
    find: 'delivery.replays, delivery.attempts = delivery.replays + 1, 0',
    replace: 'delivery.attempts = 0',
  },
  {
    name: 'replayed-and-not-open',
    what: 'A call that is replayed is open again in the same step',
    file: LEDGER,
    find: `  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
else
  -- Why`,
    replace: `else
  -- Why`,
  },
  {
    name: 'parked-revision-stays-parked',
    what: 'A revision that an operator replays counts as applied',
    file: LEDGER,
    find: `    rev.effect = 'applied'
    redis.call('HSET', KEYS[1], field, cjson.encode(rev))
  end
  redis.call('ZADD'`,
    replace: `  end
  redis.call('ZADD'`,
  },
  {
    name: 'probe-lifts-the-operator',
    what: 'A probe that is answered lifts the pause of the circuit alone',
    file: CONNECTION,
    find: `  redis.call('HDEL', KEYS[1], 'circuit')
  pause.next_probe`,
    replace: `  redis.call('HDEL', KEYS[1], 'circuit', 'operator')
  pause.next_probe`,
    test: 'packages/queue/test/connections.test.ts',
  },
  {
    name: 'probe-lifts-nothing',
    what: 'A probe that is answered lets the connection go on',
    file: CONNECTION,
    find: `  redis.call('HDEL', KEYS[1], 'circuit')
  pause.next_probe`,
    replace: '  pause.next_probe',
    test: 'packages/queue/test/connections.test.ts',
  },
  {
    name: 'queue-stays-paused',
    what: 'Whether the queue stands still follows from the state of its connection',
    file: 'packages/queue/src/connections/connections.ts',
    find: 'if ((await queue.isPaused()) !== wanted) await (wanted ? queue.pause() : queue.resume());',
    replace: 'if (wanted) await queue.pause();',
  },
  {
    name: 'nothing-revived',
    what: 'The sweep adds the job of a delivery that has none',
    file: `${WORKER}/upkeep/sweep.ts`,
    find: 'revived += Number(await store.operations.reviveDelivery(entry, delivery, attempts));',
    replace: 'void attempts;',
    test: 'apps/worker/test/process-call.test.ts',
  },
  {
    name: 'gone-with-its-workers',
    what: 'A delivery whose workers died comes back until its attempts are used up',
    file: `${WORKER}/upkeep/failed-jobs.ts`,
    find: 'const isDead = made >= attempts;',
    replace: 'const isDead = true;',
  },
  {
    name: 'busy-is-a-failure',
    what: 'A delivery that another worker is at comes again later',
    file: `${WORKER}/deliveries/process-delivery.ts`,
    find: `if (taken === 'busy') return { job: 'delay', ms: BUSY_WAIT_MS, result: 'busy' };`,
    replace: `if (taken === 'busy') return { job: 'complete', result: 'outdated' };`,
  },
  {
    name: 'waits-for-nothing',
    what: 'A call’s job that waits comes again',
    file: `${WORKER}/calls/call-worker.ts`,
    find: `if (verdict.job === 'delay') await delayJob(job, token, verdict.ms);`,
    replace: '',
  },
  {
    name: 'two-at-one-person',
    what: 'One delivery at a time is at a person',
    file: `${ENGINE}/write.ts`,
    find: 'const leased = await leasePeople(session.ctx, writes);',
    replace: 'const leased = { held: writes, reports: [], release: async () => {} };',
    test: 'packages/hubspot/test/conformance.test.ts',
  },
  {
    name: 'no-watermark',
    what: 'An older call is known by when the last one ended that was written',
    file: `${ENGINE}/people/update-people.ts`,
    find: 'await watermarkOf(ctx, person, crm.watermark);',
    replace: 'undefined;',
  },
  {
    name: 'watermark-stands',
    what: 'The watermark moves with each call that is written',
    file: `${ENGINE}/people/person-write.ts`,
    find: 'patch.fields[crm.watermark] = new Date(latest).toISOString();',
    replace: 'void 0;',
    test: 'packages/hubspot/test/conformance.test.ts',
  },
  {
    name: 'person-without-key',
    what: 'A new person carries a unique key',
    file: HUBSPOT,
    find: 'keyed: (row, { key }) => ({ ...row, key }),',
    replace: 'keyed: (row) => row,',
    test: 'packages/hubspot/test/key-ladder.test.ts',
  },
  {
    name: 'log-without-key',
    what: 'A new call log carries a unique key',
    file: `${ENGINE}/records/record-row.ts`,
    find: '{ key: record.key, targets }',
    replace: '{ targets }',
  },
  {
    name: 'conflict-is-the-end',
    what: 'A log that is there already is read and updated',
    file: `${ENGINE}/records/write-wave.ts`,
    find: `(result.failure.outcome_unknown || result.failure.code === 'conflict')`,
    replace: 'result.failure.outcome_unknown',
    test: 'packages/hubspot/test/conformance.test.ts',
  },
  {
    name: 'person-conflict-is-the-end',
    what: 'A person who is there already is found by the key',
    file: `${ENGINE}/people/create-people.ts`,
    find: `if (failure.code === 'conflict') {`,
    replace: `if (failure.code === ('never' as string)) {`,
    test: 'packages/hubspot/test/conformance.test.ts',
  },
];

/** @throws Error for a name that no fault has */
export function plantOf(name: string | undefined): Plant {
  const plant = PLANTS.find((one) => one.name === name);
  if (!plant) throw new Error(`No fault ${name}: there are ${PLANTS.map((one) => one.name).join(', ')}.`);
  return plant;
}

/** The source of a file with the fault in it. @throws Error where the guard does not stand there any more */
export function withPlant({ name, file, find, replace }: Plant, source: string): string {
  if (source.split(find).length !== 2)
    throw new Error(
      `${name}: the text to change does not stand once in ${file}: correct test/explore/planted/plants.ts`,
    );
  return source.replace(find, () => replace);
}
