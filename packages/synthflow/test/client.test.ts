import { describe, expect, it } from 'vitest';
import { normalise } from '../src/index.ts';
import { all, ask, clientFor, listen } from './support/api-client.ts';
import { CONTEXT } from './support/read.ts';

const FROM = Date.parse('2026-11-20T00:00:00Z');
const TO = Date.parse('2026-11-21T00:00:00Z');
const window = { model_id: 'agent-1', from: FROM, to: TO };

const call = (n: number, more: object = {}) => ({
  call_id: `c-${n}`,
  model_id: 'agent-1',
  call_status: 'completed',
  start_time: String(FROM + n * 1000),
  duration: '10',
  ...more,
});

function page(calls: object[], { limit, offset }: Record<string, string>, total = calls.length) {
  const start = Number(offset ?? 0);
  return {
    body: {
      status: 'ok',
      response: {
        pagination: { total_records: total, limit: Number(limit), offset: start },
        calls: calls.slice(start, start + Number(limit ?? 20)),
      },
    },
  };
}

describe('the calls of an agent', () => {
  it('come page by page, 100 at a time, in a window in epoch milliseconds', async () => {
    const calls = Array.from({ length: 250 }, (_, n) => call(n));
    const { url, asked } = await listen(({ query }) => page(calls, query));
    const { items, complete } = await all(clientFor(url).eachCall(window, ask));
    expect(items).toHaveLength(250);
    expect(complete).toBe(true);
    expect(asked.map(({ path, query }) => [path, query.limit, query.offset])).toEqual([
      ['/v2/calls', '100', '0'],
      ['/v2/calls', '100', '100'],
      ['/v2/calls', '100', '200'],
    ]);
    expect(asked[0]?.query).toMatchObject({ model_id: 'agent-1', from_date: String(FROM) });
    expect(Number(asked[0]?.query.to_date)).toBeGreaterThan(TO);
  });

  it('are all found although their order changes from page to page', async () => {
    const calls = Array.from({ length: 150 }, (_, n) => call(n));
    // Before the second page is read the first fifty come last: the second page repeats what was read.
    const moved = [...calls.slice(50), ...calls.slice(0, 50)];
    const { url } = await listen(({ query }, n) => page(n === 2 ? moved : calls, query));
    const { items, complete } = await all(clientFor(url).eachCall(window, ask));
    expect(new Set(items.map(({ call_id }) => call_id)).size).toBe(150);
    expect(items).toHaveLength(150);
    expect(complete).toBe(true);
  });

  it('that stay out of reach are reported', async () => {
    const { url, asked } = await listen(({ query }) => page([call(1)], query, 3));
    const { items, complete } = await all(clientFor(url).eachCall(window, ask));
    expect(items).toHaveLength(1);
    expect(complete).toBe(false);
    expect(asked.length).toBeLessThan(10);
  });

  it('end also when the API ignores the offset and counts nothing', async () => {
    const { url, asked } = await listen(() => ({ body: { response: { calls: [call(1), call(2)] } } }));
    const { items } = await all(clientFor(url).eachCall(window, ask));
    expect(items).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  it('leave out what the API gave beyond the question', async () => {
    const calls = [
      call(1),
      call(2, { start_time: String(FROM - 1) }),
      call(3, { start_time: String(TO) }),
      call(4, { model_id: 'agent-2' }),
      call(5, { start_time: null }),
    ];
    const { url } = await listen(({ query }) => page(calls, query));
    const { items } = await all(clientFor(url).eachCall(window, ask));
    expect(items.map(({ call_id }) => call_id)).toEqual(['c-1', 'c-5']);
  });

  it('are counted without being read', async () => {
    const { url, asked } = await listen(({ query }) => page([call(1), call(2)], query, 4321));
    expect(await clientFor(url).countCalls(window, ask)).toBe(4321);
    expect(asked[0]?.query.limit).toBe('1');
  });

  it('an answer of another shape is an error, not an empty list', async () => {
    const { url } = await listen(() => ({ body: { status: 'ok', response: {} } }));
    await expect(all(clientFor(url).eachCall(window, ask))).rejects.toMatchObject({ code: 'unreadable' });
  });
});

describe('one call', () => {
  const single = {
    call_id: 'c-1',
    model_id: 'agent-1',
    status: 'completed',
    start_time: String(FROM + 1000),
    duration: 10,
    name: '',
    phone_number_to: '+14155550123',
    type_of_call: 'outbound',
    prompt_variables: { plan: 'Team' },
    collected_variables: null,
  };
  const listed = call(1, {
    lead_name: 'Dana Example',
    lead_phone_number: '+14155550123',
    judge_results: { goal: 'Partial' },
    collected_variables: { 'agent-1': { seats: { value: 20, collected: true } } },
  });

  it.each([
    ['in its wrapper', { response: { calls: [single] } }],
    ['bare in the response', { response: single }],
    ['bare', single],
  ])('%s is read', async (_name, body) => {
    const { url } = await listen(() => ({ body }));
    expect(await clientFor(url).getCall('c-1', ask)).toEqual(single);
  });

  it('has analysis, lead and variables of the list, and prompt variables of its own', async () => {
    const { url, asked } = await listen(({ path, query }) =>
      path === '/v2/calls' ? page([call(7), listed], query) : { body: { response: { calls: [single] } } },
    );
    const record = await clientFor(url).readCall('c-1', ask);
    const normalised = normalise(record, CONTEXT);
    expect(normalised).toMatchObject({
      id: 'c-1',
      outcome: 'connected',
      direction: 'outbound',
      analysis: { goal: 'partial' },
      prompt_variables: { plan: 'Team' },
      vars: { seats: 20 },
      lead: { name: 'Dana Example', phone: '+14155550123' },
      notes: [],
    });
    const { from_date, to_date, model_id } = asked[1]?.query ?? {};
    expect(model_id).toBe('agent-1');
    expect(Number(from_date)).toBeLessThan(FROM + 1000);
    expect(Number(to_date)).toBeGreaterThan(FROM + 11_000);
  });

  it('is taken as it stands when the list does not know it', async () => {
    const { url, asked } = await listen(({ path, query }) =>
      path === '/v2/calls' ? page([], query) : { body: { response: { calls: [single] } } },
    );
    expect(await clientFor(url).readCall('c-1', ask)).toEqual(single);
    expect(asked).toHaveLength(3);
  });

  it('from the list stays as it is when the API does not know it by itself', async () => {
    const { url } = await listen(() => ({ status: 404, body: { detail: { description: 'Call not found' } } }));
    expect(await clientFor(url).completeCall(listed, ask)).toBe(listed);
  });

  it('that is another one is no answer', async () => {
    const { url } = await listen(() => ({ body: { response: { calls: [{ ...single, call_id: 'c-2' }] } } }));
    await expect(clientFor(url).getCall('c-1', ask)).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('is unknown when the wrapper is empty', async () => {
    const { url } = await listen(() => ({ body: { response: { calls: [] } } }));
    await expect(clientFor(url).getCall('c-1', ask)).rejects.toMatchObject({ code: 'unknown_call' });
  });
});

describe('agents', () => {
  it('come page by page, with what is known of each', async () => {
    const agents = Array.from({ length: 130 }, (_, n) => ({
      model_id: `a-${n}`,
      name: `Agent ${n}`,
      type: 'outbound',
      external_webhook_url: n === 0 ? 'https://hooks.example.com/webhooks/main/post-call' : null,
    }));
    const { url, asked } = await listen(({ query }) => {
      const offset = Number(query.offset);
      const assistants = agents.slice(offset, offset + Number(query.limit));
      return { body: { response: { pagination: { total_records: 130 }, assistants } } };
    });
    const { items } = await all(clientFor(url).listAgents(ask));
    expect(items).toHaveLength(130);
    expect(items[0]).toEqual({ ...agents[0] });
    expect(items[1]).not.toHaveProperty('external_webhook_url');
    expect(asked.map(({ path }) => path)).toEqual(['/v2/assistants/', '/v2/assistants/']);
  });
});

describe('webhook logs', () => {
  const item = {
    request_timestamp: '2026-11-20T10:00:00Z',
    webhook_log_id: 'l-1',
    model_id: 'agent-1',
    status: 'success',
    webhook_url: 'https://hooks.example.com/x',
    response_status_code: 202,
    http_method: 'post',
  };

  it('are listed by page number, for one workspace', async () => {
    const { url, asked } = await listen(({ query }) => ({
      body: { response: { items: query.page_number === '1' ? [item] : [], total: 1, page_number: 1, page_size: 100 } },
    }));
    const api = clientFor(url, { workspace_id: 'w-1' });
    const { items } = await all(api.listWebhookLogs({ webhook_type: 'external_webhook', from: FROM }, ask));
    expect(items).toEqual([
      {
        webhook_log_id: 'l-1',
        model_id: 'agent-1',
        status: 'success',
        webhook_url: 'https://hooks.example.com/x',
        response_status_code: 202,
        at: Date.parse('2026-11-20T10:00:00Z'),
      },
    ]);
    expect(asked[0]?.query).toMatchObject({
      workspace_id: 'w-1',
      page_number: '1',
      webhook_type: 'external_webhook',
      from_date: '2026-11-20T00:00:00.000Z',
    });
  });

  it('are shown with headers, payload and attempts', async () => {
    const request_headers = { HTTP_SYNTHFLOW_SIGNATURE: 'x' };
    const { url, asked } = await listen(() => ({
      body: { response: { ...item, call_id: 'c-1', attempt_number: 2, request_headers, request_payload: { a: 1 } } },
    }));
    const log = await clientFor(url, { workspace_id: 'w-1' }).getWebhookLog('l-1', ask);
    expect(log).toMatchObject({ call_id: 'c-1', attempt_number: 2, request_headers, request_payload: { a: 1 } });
    expect(asked[0]).toMatchObject({ path: '/v2/logs/l-1', query: { workspace_id: 'w-1' } });
  });

  it('need the workspace', async () => {
    const { url, asked } = await listen(() => ({}));
    await expect(all(clientFor(url).listWebhookLogs({}, ask))).rejects.toThrow(/workspace_id/);
    expect(asked).toEqual([]);
  });
});
