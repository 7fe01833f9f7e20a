import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, SECRET, writeOne } from './support/connect.ts';
import { type Endpoint, openEndpoint } from './support/endpoint.ts';
import { planOf, someCall } from './support/plans.ts';
import { verifies } from './support/verify.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await openEndpoint();
});
afterEach(() => endpoint.close());

describe('one call, one event', () => {
  test('the whole call arrives as a signed event, without the payload as it came', async () => {
    const destination = await connect({ url: `${endpoint.url}/hook?a=b`, secret: SECRET });
    const outcome = await writeOne(destination, planOf());
    const [event] = endpoint.received;
    expect(event).toMatchObject({ method: 'POST', path: '/hook?a=b' });
    expect(event?.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Wrapup' });
    const { source, lead, booking, vars, collected, extracted, actions, analysis, ...more } = someCall();
    const { prompt_variables, metadata, raw, ...facts } = more;
    expect(event?.body).toEqual({
      type: 'call.connected',
      timestamp: '2026-11-20T10:01:02.000Z',
      data: {
        call: facts,
        lead,
        booking,
        vars,
        collected,
        extracted,
        actions,
        analysis,
        prompt_variables,
        metadata,
        source: { name: source },
      },
    });
    expect(event?.raw.toString()).not.toContain(JSON.stringify(raw).slice(1, 20));
    expect(await verifies(event as NonNullable<typeof event>, SECRET)).toBe(true);
    expect(outcome).toEqual({
      ok: true,
      receipt: {
        records: [{ name: 'event', object: 'event', id: event?.headers['webhook-id'], did: 'created' }],
        requests: 1,
        notes: [expect.stringMatching(/^event: answered 200 in \d+ ms: ok$/)],
      },
    });
  });
});
