/**
 * The promises of the port that hold for a destination without people: the suite for CRMs looks at contacts and call logs,
 * which no endpoint has, so its scenarios are gone through here with what an endpoint receives as the effect. What differs
 * on purpose: a repeat is another request under the same id, since only the receiver can drop it.
 */
import { type Failure, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { deliver, failure, ids, write } from '@wrapup/destination/conformance';
import { type SampleCall, sampleField, samplePlan } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { connect } from './support/connect.ts';
import { type Answering, type Endpoint, openEndpoint, status } from './support/endpoint.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

const NAMES = {
  call_log: 'event',
  task: 'event',
  create_as: 'nobody',
  first_name: 'first_name',
  last_name: 'last_name',
  phone: 'phone',
  email: 'email',
  note: 'note',
  owner: 'owner',
  title: 'title',
  subject: 'subject',
  call_log_extra: {},
  task_extra: {},
};

/** A plan of two events, `call_log` and `call-back`, for no person. */
function planFor(call: SampleCall): Plan {
  return { ...samplePlan(NAMES, call), person: null };
}
const open = (settings: object = {}) => connect({ url: endpoint.url, at_once: 50, ...settings });
const distinct = () => new Set(endpoint.received.map(({ headers }) => headers['webhook-id']));
const titles = () => endpoint.received.map(({ body }) => (body as { title?: string }).title).filter(Boolean);

/** Answers what is said for events whose title fits; 200 for the others. */
function forTitle(title: string, answering: Answering): Answering {
  return (response, received, request) => {
    const fits = (received.body as { title?: string }).title === title;
    (fits ? answering : status(200))(response, received, request);
  };
}

describe('one effect, as far as an endpoint can tell', () => {
  test('one call becomes each of its events once', async () => {
    const [outcome] = await write(await open(), [planFor({ id: 'c1' })]);
    const [log, task] = endpoint.received.map(({ headers }) => headers['webhook-id']);
    expect(ids(outcome)).toEqual({ call_log: log, 'call-back': task });
    expect(endpoint.received).toHaveLength(2);
  });

  test('a repeat gives the same ids', async () => {
    const destination = await open();
    const plan = planFor({ id: 'c1' });
    const [first] = await write(destination, [plan]);
    const [again] = await write(destination, [plan]);
    const [resumed] = await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }]);
    expect(ids(again)).toEqual(ids(first));
    expect(ids(resumed)).toEqual(ids(first));
    expect(distinct().size).toBe(2);
  });

  test('an answer that was lost, and a process that died, are distinguished from a new event by the id', async () => {
    endpoint.answers((response) => response.socket?.resetAndDestroy());
    const plan = planFor({ id: 'c1', task: false });
    const [lost] = await write(await open(), [plan]);
    expect(failure(lost)).toMatchObject({ code: 'network', next: 'retry' });
    endpoint.answers(status(200));
    await deliver(await open(), { ...plan, resume: { attempts: 1, records: {} } }, makeMemoryCommons());
    expect([endpoint.received.length, distinct().size]).toEqual([2, 1]);
  });

  test('fifty deliveries of one call at once, by two processes, have one id for each event', async () => {
    const processes = [await open(), await open()];
    const commons = makeMemoryCommons();
    const plan = planFor({ id: 'c1' });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => deliver(processes[n % 2] as (typeof processes)[0], plan, commons)),
    );
    expect(new Set(outcomes.map((outcome) => JSON.stringify(ids(outcome)))).size).toBe(1);
    expect(distinct().size).toBe(2);
  });

  test('the same plan fifty times in one write is sent once', async () => {
    const outcomes = await write(await open(), Array(50).fill(planFor({ id: 'c1' })));
    expect(outcomes).toHaveLength(50);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(ids(outcome)))).size).toBe(1);
    expect(endpoint.received).toHaveLength(2);
  });

  test('what an earlier attempt has done is not done again', async () => {
    const destination = await open();
    endpoint.answers((response, { body }) =>
      response.writeHead((body as { subject?: string }).subject ? 500 : 200).end(),
    );
    const plan = planFor({ id: 'c1' });
    const [outcome] = await write(destination, [plan]);
    const { done = {} } = failure(outcome).details;
    expect(Object.keys(done)).toEqual(['call_log']);
    endpoint.answers(status(200));
    const resume = { attempts: 1, records: done, done: Object.keys(done) };
    const [next] = await write(destination, [{ ...plan, resume }]);
    expect(ids(next)).toMatchObject(done);
    expect(endpoint.received).toHaveLength(3);
  });
});

describe('every plan is accounted for', () => {
  test('outcomes come in the order of the plans and in equal number', async () => {
    endpoint.answers((response, { body }) => {
      // Answers overtake one another.
      const { title } = body as { title: string };
      setTimeout(() => response.writeHead(title.endsWith('7') ? 422 : 200).end(title), Math.random() * 50);
    });
    const plans = Array.from({ length: 45 }, (_, n) => planFor({ id: `c${n}`, title: `T${n}`, task: false }));
    const outcomes = await write(await open(), plans);
    expect(outcomes).toHaveLength(45);
    for (const [n, outcome] of outcomes.entries()) {
      expect(outcome.ok).toBe(n % 10 !== 7);
      const sent = endpoint.received.find(({ body }) => (body as { title: string }).title === `T${n}`);
      if (outcome.ok) expect(ids(outcome)).toEqual({ call_log: sent?.headers['webhook-id'] });
    }
    const counted = outcomes.reduce((sum, outcome) => sum + (outcome.ok ? outcome.receipt.requests : 0), 0);
    expect(counted).toBe(outcomes.filter(({ ok }) => ok).length);
  });

  test('a poisoned event fails alone, names its mapping line, and leaves its neighbours written', async () => {
    const poison = sampleField('a..b', 'x', 'overwrite', 41);
    const plans = Array.from({ length: 20 }, (_, n) =>
      planFor({ id: `c${n}`, title: `T${n}`, task: false, ...(n === 7 ? { call_fields: [poison] } : {}) }),
    );
    const outcomes = await write(await open(), plans);
    expect(outcomes.map(({ ok }) => ok)).toEqual(plans.map((_, n) => n !== 7));
    expect(failure(outcomes[7])).toMatchObject({
      code: 'mapping',
      next: 'park',
      details: { field: 'a..b', at: poison.at, record: 'call_log' },
    });
    expect(titles()).toHaveLength(19);
  });

  test('an event that the endpoint refuses parks alone', async () => {
    endpoint.answers(forTitle('T1', status(400, 'no')));
    const plans = [0, 1, 2].map((n) => planFor({ id: `c${n}`, title: `T${n}`, task: false }));
    const outcomes = await write(await open(), plans);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(failure(outcomes[1])).toMatchObject({ code: 'refused', next: 'park', details: { record: 'call_log' } });
  });

  test('a refused token is the connection’s failure, for every plan, until there is another', async () => {
    endpoint.answers((response, { headers }) => response.writeHead(headers.authorization === 'good' ? 200 : 401).end());
    const commons = makeMemoryCommons();
    const plans = [0, 1, 2].map((n) => planFor({ id: `c${n}` }));
    const refused = await open({ headers: { authorization: 'bad' } });
    for (const outcome of await write(refused, plans, commons))
      expect(failure(outcome)).toMatchObject({ code: 'unauthorized', next: 'reauthenticate' });
    await expect(refused.probe(makeMemoryContext(commons))).rejects.toMatchObject({ next: 'reauthenticate' });
    const corrected = await open({ headers: { authorization: 'good' } });
    for (const outcome of await write(corrected, plans, commons)) expect(outcome.ok).toBe(true);
    expect((await corrected.probe(makeMemoryContext(commons))).account).toBe('127.0.0.1');
  });

  test('being throttled burns no attempt and says for how long', async () => {
    endpoint.answers(status(429, '', { 'retry-after': '2' }));
    const [outcome] = await write(await open(), [planFor({ id: 'c1' })]);
    expect(failure(outcome)).toMatchObject({ next: 'throttle', details: { retry_after: 2_000 } });
  });

  test('the deadline holds when the endpoint hangs', async () => {
    endpoint.answers(() => {});
    const began = performance.now();
    const plans = [0, 1].map((n) => planFor({ id: `c${n}` }));
    const outcomes = await write(await open(), plans, makeMemoryCommons(), { within: 500 });
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const outcome of outcomes) expect(failure(outcome)).toMatchObject({ code: 'timeout', next: 'retry' });
  });

  test('work that is withdrawn stops, and burns no attempt', async () => {
    endpoint.answers(() => {});
    const controller = new AbortController();
    const writing = write(await open(), [planFor({ id: 'c1' })], makeMemoryCommons(), { signal: controller.signal });
    await vi.waitUntil(() => endpoint.received.length === 1, PATIENCE);
    controller.abort();
    expect(failure((await writing)[0]).next).toBe('throttle');
  });

  test('a preview says what would be sent, and sends nothing', async () => {
    const plans = [planFor({ id: 'c1', title: 'One' }), { ...planFor({ id: 'c2' }), records: [] }];
    const previews = await (await open()).preview(plans, makeMemoryContext());
    expect(previews.map(({ decision, requests }) => [decision, requests])).toEqual([
      ['use', 2],
      ['skip', 0],
    ]);
    expect(previews[0]?.records).toMatchObject([
      {
        name: 'call_log',
        object: `POST ${endpoint.url}`,
        id: expect.stringMatching(/^msg_/),
        did: 'create',
        fields: [{ field: 'title', from: undefined, to: 'One', applies: true, at: { line: 6 } }],
      },
      { name: 'call-back', fields: [{ field: 'subject', to: 'Call back c1', at: { line: 7 } }] },
    ]);
    expect(endpoint.connections()).toBe(0);
  });

  test('no number, address or name is in what failures and notes say', async () => {
    const secret = { phone: '+14155550199', email: 'very.secret@example.com', first_name: 'Wilhelmina' };
    const title = `${secret.first_name} ${secret.phone} ${secret.email}`;
    const said: unknown[] = [];
    const note = (failed: Failure) => said.push([failed.message, failed.hint, failed.details]);
    const echo: Answering = (response, { raw }) => response.end(raw);
    for (const code of [200, 302, 400, 401, 410, 429, 500]) {
      endpoint.answers((response, ...rest) => echo(response.writeHead(code), ...rest));
      const [outcome] = await write(await open(), [planFor({ id: 'c1', title, ...secret })]);
      if (outcome?.ok) said.push(outcome.receipt);
      else note(failure(outcome));
    }
    endpoint.answers((response) => response.socket?.resetAndDestroy());
    note(failure((await write(await open(), [planFor({ id: 'c1', title })]))[0]));
    const poison = sampleField('a..b', title, 'overwrite', 41);
    note(failure((await write(await open(), [planFor({ id: 'c1', call_fields: [poison] })]))[0]));
    expect(said).toHaveLength(9);
    for (const word of [secret.phone.slice(2), 'very.secret', secret.first_name])
      expect(JSON.stringify(said)).not.toContain(word);
  });
});

describe('what an endpoint has not', () => {
  test('people: none is ever found', async () => {
    const questions = [1, 2].map(() => ({ match: [{ by: 'phone' as const, value: '+14155550142' }], properties: [] }));
    expect(await (await open()).find(questions, makeMemoryContext())).toEqual([{ found: 'none' }, { found: 'none' }]);
  });

  test('fields to make', async () => {
    expect(await (await open()).provision({ mappings: [], plan: false }, makeMemoryContext())).toEqual([]);
    expect(endpoint.connections()).toBe(0);
  });
});
