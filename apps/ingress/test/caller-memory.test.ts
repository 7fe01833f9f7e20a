import type { Inbound } from '@wrapup/config';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DANA, type InboundHarness, inbound, NEUTRAL, newNumber, startInbound } from './support/inbound.ts';

let ingress: InboundHarness;
beforeAll(async () => {
  ingress = await startInbound();
});
afterAll(() => ingress.close());
/** Each test has a connection of its own: the quota for searches is small. */
let look_up: string;
beforeEach(() => {
  look_up = ingress.newConnection();
  answerBy({});
});
const answerBy = (given: Partial<Inbound>) => ingress.answerCalls(inbound({ look_up, ...given }));

describe('an answer', () => {
  it('is remembered: who calls again is not looked up again', async () => {
    const phone = newNumber();
    ingress.sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Fay', phone } }] } });
    const first = await ingress.ask(phone);
    const before = ingress.asked();
    expect(await ingress.ask(phone)).toEqual(first);
    expect(ingress.asked()).toBe(before);
  });

  it('that no person has the number is stored too, but not as long', async () => {
    const phone = newNumber();
    expect(await ingress.ask(phone)).toEqual(NEUTRAL);
    const before = ingress.asked();
    expect(await ingress.ask(phone)).toEqual(NEUTRAL);
    expect(ingress.asked()).toBe(before);
  });

  it('of other properties is another one', async () => {
    const found = { crm_person_id: ingress.danaId, crm_connection: look_up };
    expect(await ingress.ask(DANA)).toEqual({
      call_inbound: { override_model_id: '', custom_variables: { first_name: 'Dana', ...found }, metadata: found },
    });
    const before = ingress.asked();
    answerBy({
      variables: { stage: { path: ['person', 'lifecyclestage'] } },
      reads: { properties: ['lifecyclestage'], related: {} },
    });
    expect(await ingress.ask(DANA)).toMatchObject({ call_inbound: { custom_variables: { stage: 'customer' } } });
    expect(ingress.asked()).toBeGreaterThan(before);
  });

  it('shows no number in Redis, holds only what the agent gets, and expires', async () => {
    const known = newNumber();
    const unknown = newNumber();
    const properties = { firstname: 'Gil', lastname: 'Secretive', phone: known, email: 'gil@example.com' };
    ingress.sandbox.control.seed({ records: { contacts: [{ properties }] } });
    await ingress.ask(known);
    await ingress.ask(unknown);
    const { redis } = ingress.store;
    if (!('scan' in redis)) throw new Error('one server is expected');
    const ends: number[] = [];
    for (const key of await redis.keys(`{${ingress.prefix}}:remembered:*`)) {
      expect(key.replace(ingress.prefix, '')).not.toMatch(/\d{10}/);
      const value = (await redis.get(key)) ?? '';
      expect(value).not.toMatch(/Secretive|gil@|createdate/);
      for (const phone of [known, unknown]) expect(value).not.toContain(phone.slice(2));
      // Which records a number was answered with, and nothing of them: what the finished calls are compared with.
      if (value.startsWith('[')) {
        for (const id of JSON.parse(value) as string[]) expect(id).toMatch(/^\d+$/);
        expect(await redis.pttl(key)).toBeGreaterThan(0);
        expect(await redis.pttl(key)).toBeLessThanOrEqual(7 * 24 * 3_600_000);
      } else ends.push(await redis.pttl(key));
    }
    expect(ends.length).toBeGreaterThan(1);
    expect(Math.min(...ends)).toBeGreaterThan(0);
    expect(Math.max(...ends)).toBeLessThanOrEqual(600_000);
    expect(ends.some((ms) => ms <= 60_000)).toBe(true);
    expect(ends.some((ms) => ms > 60_000)).toBe(true);
  });

  it('leaves no number and no name in logs and metrics', async () => {
    await ingress.ask(DANA);
    await ingress.ask(newNumber());
    expect(ingress.logged() + (await ingress.metrics.text())).not.toMatch(/415555|Dana/);
    expect(await ingress.metrics.text()).toContain('source="main",result="variables"');
  });
});
