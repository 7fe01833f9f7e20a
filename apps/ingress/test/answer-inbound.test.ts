/** Whatever goes wrong while a phone rings, the call goes to the agent that it came to. */
import type { InboundRule } from '@wrapup/config';
import type { FaultSpec } from '@wrapup/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/support/redis.ts';
import { waitUntil } from './support/harness.ts';
import {
  DANA,
  type InboundHarness,
  inbound,
  NEUTRAL,
  NOBODY,
  newNumber,
  startInbound,
  TOKEN,
} from './support/inbound.ts';
import { openRaw } from './support/raw.ts';

const WITHIN = 600;

let ingress: InboundHarness;
let look_up: string;
beforeAll(async () => {
  ingress = await startInbound();
});
afterAll(() => ingress.close());
beforeEach(() => {
  look_up = ingress.newConnection();
  ingress.answerCalls(inbound({ look_up, within: WITHIN }));
});
afterEach(() => ingress.sandbox.control.clearFaults());

const always = (fault: Omit<FaultSpec, 'times'>) => ingress.sandbox.control.fault({ ...fault, times: null });

const declineUnknown: InboundRule = {
  asks_caller: true,
  when: (_call, caller) => caller.id === undefined,
  decline: true,
};

describe('the CRM', () => {
  it.each<[string, Omit<FaultSpec, 'times'>]>([
    ['takes too long', { kind: 'slow', ms: 5_000 }],
    ['hangs', { kind: 'hang' }],
    ['closes the connection', { kind: 'reset' }],
    ['fails', { kind: 'status', status: 500 }],
    ['answers with a page', { kind: 'html' }],
    ['answers half of JSON', { kind: 'broken_json', status: 200 }],
    ['answers nothing that can be counted', { kind: 'empty_success' }],
    ['refuses the token', { kind: 'unauthorized' }],
    ['is locked', { kind: 'locked' }],
    ['moves house', { kind: 'migrating' }],
    ['has had enough searches this second', { kind: 'secondly' }],
    ['has had enough requests today', { kind: 'daily' }],
  ])('%s: the call goes on, and no rule takes the caller for an unknown number', async (_what, fault) => {
    ingress.answerCalls(inbound({ look_up, within: WITHIN, agents: [declineUnknown] }));
    always(fault);
    expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    // Nor is it stored as not found.
    ingress.sandbox.control.clearFaults();
    ingress.answerCalls(inbound({ look_up: ingress.newConnection(), within: 5_000, agents: [declineUnknown] }));
    expect(await ingress.ask(DANA)).toMatchObject({ call_inbound: { custom_variables: { first_name: 'Dana' } } });
  });

  it('cannot be reached at all', async () => {
    const closed = await startInbound({ within: WITHIN });
    await closed.sandbox.close();
    expect(await closed.ask(DANA)).toEqual(NEUTRAL);
    await closed.close();
  });

  it('is slow: rules and variables that do not depend on it still hold', async () => {
    const byNumber: InboundRule = {
      asks_caller: false,
      when: (call) => call.to_number === '+14155550111',
      agent: 'night',
      decline: false,
    };
    const variables = { first_name: { path: ['person', 'firstname'] }, shop: { value: 'Main Street' } };
    ingress.answerCalls(inbound({ look_up, within: WITHIN, variables, agents: [declineUnknown, byNumber] }));
    always({ kind: 'slow', ms: 5_000 });
    expect(await ingress.ask(newNumber(), { to: '+14155550111' })).toEqual({
      call_inbound: { override_model_id: 'night', custom_variables: { shop: 'Main Street' } },
    });
  });

  it('fails: no caller is declined whom an earlier rule might have rerouted', async () => {
    const toVip: InboundRule = {
      asks_caller: true,
      when: (_call, caller) => caller.lifecyclestage === 'customer',
      agent: 'vip',
      decline: false,
    };
    const declineAll: InboundRule = { asks_caller: false, when: () => true, decline: true };
    ingress.answerCalls(inbound({ look_up, within: WITHIN, agents: [toVip, declineAll] }));
    expect(await ingress.ask(NOBODY)).toEqual({ call_inbound: {} });
    always({ kind: 'status', status: 503 });
    expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
  });
});

describe('a CRM that goes on failing', () => {
  it('is not asked after three failures, and tried again while its caller is answered without it', async () => {
    always({ kind: 'status', status: 503 });
    for (let i = 0; i < 3; i += 1) expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    const before = ingress.asked();
    for (let i = 0; i < 20; i += 1) expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    expect(ingress.asked()).toBe(before);
    expect(await ingress.metrics.text()).toMatch(/callers_total\{result="circuit_open"\} (?:[2-9]\d|\d{3})/);
    expect(ingress.logged()).toContain('callers are not looked up for a while');
  });

  it('is not asked after one failure that means a broken connection', async () => {
    always({ kind: 'unauthorized' });
    expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    const before = ingress.asked();
    expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    expect(ingress.asked()).toBe(before);
  });

  it('still answers for callers who are remembered', async () => {
    const known = await ingress.ask(DANA);
    expect(known).not.toEqual(NEUTRAL);
    always({ kind: 'unauthorized' });
    expect(await ingress.ask(newNumber())).toEqual(NEUTRAL);
    expect(await ingress.ask(DANA)).toEqual(known);
  });
});

describe('a CRM that works again', () => {
  it('is asked behind the back of one caller, and by all the others from then on', async () => {
    let now = 0;
    const own = await startInbound({ within: WITHIN }, { now: () => now });
    own.sandbox.control.fault({ kind: 'unauthorized', times: null });
    expect(await own.ask(newNumber())).toEqual(NEUTRAL);
    own.sandbox.control.clearFaults();
    expect(await own.ask(DANA)).toEqual(NEUTRAL);
    now += 5_000;
    // This one may still be answered without: no caller waits for a trial.
    await own.ask(DANA);
    await waitUntil(async () => JSON.stringify(await own.ask(DANA)).includes('Dana'));
    await waitUntil(async () => (await own.metrics.text()).includes('callers_total{result="found_one"} 1'));
    await own.close();
  });

  it('is tried less and less often while it does not', async () => {
    let now = 0;
    const own = await startInbound({ within: WITHIN }, { now: () => now });
    own.sandbox.control.fault({ kind: 'unauthorized', times: null });
    await own.ask(newNumber());
    const first = own.asked();
    now += 5_000;
    await own.ask(newNumber());
    await waitUntil(() => own.asked() === first + 1);
    // The trial's end is noted a moment after the CRM has answered it.
    await waitUntil(async () => (await own.metrics.text()).includes('callers_total{result="unauthorized"} 2'));
    now += 5_000;
    await own.ask(newNumber());
    now += 4_999;
    await own.ask(newNumber());
    expect(own.asked()).toBe(first + 1);
    now += 1;
    await own.ask(newNumber());
    await waitUntil(() => own.asked() === first + 2);
    await own.close();
  });
});

describe('many calls at once', () => {
  const searches = () => ingress.sandbox.control.requests().by_operation['contacts search'] ?? 0;

  it('of one number are one look-up', async () => {
    // On a busy machine thirty answers may take longer than callers are let wait.
    ingress.answerCalls(inbound({ look_up, within: 5_000 }));
    always({ kind: 'slow', ms: 150 });
    const before = searches();
    const answers = await Promise.all(Array.from({ length: 30 }, () => ingress.ask(DANA)));
    for (const answer of answers)
      expect(answer).toMatchObject({ call_inbound: { custom_variables: { first_name: 'Dana' } } });
    expect(searches()).toBe(before + 1);
  });

  it('of one number are one look-up in two processes', async () => {
    const given = inbound({ look_up, within: 5_000 });
    ingress.answerCalls(given);
    const other = await ingress.startAnother();
    always({ kind: 'slow', ms: 300 });
    const before = searches();
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => ingress.ask(DANA)),
      ...Array.from({ length: 5 }, () => ingress.ask(DANA, { url: other.url })),
    ]);
    for (const answer of answers)
      expect(answer).toMatchObject({ call_inbound: { custom_variables: { first_name: 'Dana' } } });
    expect(searches()).toBe(before + 1);
    await other.close();
  });

  it('of more numbers than the quota has room for are answered without waiting for it', async () => {
    const before = searches();
    const answers = await Promise.all(Array.from({ length: 25 }, () => ingress.ask(newNumber())));
    for (const answer of answers) expect(answer).toEqual(NEUTRAL);
    expect(searches() - before).toBeLessThan(25);
    expect(await ingress.metrics.text()).toMatch(/callers_total\{result="throttled"\} \d+/);
  });
});

describe('Redis', () => {
  it('is gone: the call goes on, and callers are known again when it is back', async () => {
    const redis = await startRedis();
    const own = await startInbound({ within: WITHIN }, { redis: redis.url });
    const known = (answer: unknown) => JSON.stringify(answer).includes('Dana');
    await waitUntil(async () => known(await own.ask(DANA)));
    await redis.kill();
    expect(await own.ask(DANA)).toEqual(NEUTRAL);
    await redis.restart();
    await waitUntil(async () => known(await own.ask(DANA)));
    await own.close();
    await redis.stop();
  });

  it('hangs: the call goes on', async () => {
    const redis = await startRedis();
    const own = await startInbound({ within: WITHIN }, { redis: redis.url });
    await waitUntil(async () => JSON.stringify(await own.ask(DANA)).includes('Dana'));
    redis.pause();
    expect(await own.ask(DANA)).toEqual(NEUTRAL);
    redis.resume();
    await own.close();
    await redis.stop();
  });
});

describe('the configuration', () => {
  it('names a connection that is not there', async () => {
    ingress.answerCalls(inbound({ look_up: 'elsewhere' }));
    expect(await ingress.ask(DANA)).toEqual(NEUTRAL);
  });

  it('says nothing of inbound calls', async () => {
    ingress.answerCalls(undefined);
    expect(await ingress.ask(DANA)).toEqual(NEUTRAL);
  });
});

describe('the request', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${ingress.url}/webhooks/main/${TOKEN}/inbound-call`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const event = (more: object) => JSON.stringify({ event: 'call_inbound', call_inbound: more });

  it.each<[string, string]>([
    ['no JSON', '{"event":'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['another event', '{"event":"call_ended","call_inbound":{"from_number":"+14155550123"}}'],
    ['no call', '{"event":"call_inbound"}'],
    ['a number that is an object', event({ from_number: { toString: 'x' } })],
    ['a number without end', event({ from_number: '+1'.repeat(10_000) })],
    ['a call that only a prototype has', '{"__proto__":{"call_inbound":{"from_number":"+14155550123"}}}'],
    ['nested 10,000 deep', `{"call_inbound":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['more than the event could need', event({ from_number: DANA, padding: 'x'.repeat(100_000) })],
  ])('holds %s', async (_what, body) => {
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([200, NEUTRAL]);
  });

  it('is compressed with something else than it says', async () => {
    expect(await (await post(event({ from_number: DANA }), { 'content-encoding': 'gzip' })).json()).toEqual(NEUTRAL);
  });

  it('says nothing of its type, or another one, or a wrong signature', async () => {
    for (const headers of [{ 'content-type': 'text/plain' }, { 'synthflow-signature': 'wrong' }])
      expect(await (await post(event({ from_number: DANA }), headers)).json()).toMatchObject({
        call_inbound: { custom_variables: { first_name: 'Dana' } },
      });
  });

  it('never ends: it is answered all the same', async () => {
    const raw = openRaw(ingress.port);
    raw.write(`POST /webhooks/main/${TOKEN}/inbound-call HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"event":`);
    expect(await raw.hears(/override_model_id/)).toMatch(/^HTTP\/1\.1 200 /);
    raw.socket.destroy();
    await waitUntil(async () => (await ingress.metrics.text()).includes('wrapup_ingress_in_flight_bytes 0'));
  });
});
