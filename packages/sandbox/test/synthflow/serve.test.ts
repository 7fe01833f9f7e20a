import { SynthflowApi, SynthflowApiError, type SynthflowApiOptions } from '@wrapup/synthflow';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { VoiceCall } from '../../src/index.ts';
import { sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const ask = { signal: new AbortController().signal };
const NOW = Date.now();

function client(options: Partial<SynthflowApiOptions> = {}): SynthflowApi {
  const api = new SynthflowApi({
    region: 'global',
    base_url: sandbox.synthflowUrl,
    api_key: 'key-1',
    base: 1,
    workspace_id: 'sandbox-workspace',
    ...options,
  });
  onTestFinished(() => api.close());
  return api;
}

async function get(path: string, key: string | null = 'key-1') {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const answer = await fetch(`${sandbox.synthflowUrl}${path}`, { headers });
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at field by field
  return { status: answer.status, body: (await answer.json()) as any };
}

async function history(calls: number): Promise<VoiceCall[]> {
  await sandbox.control.demo({ calls, past: 6 * 3600_000 });
  return sandbox.control.calls();
}

/** A call that a person answered. */
async function answered(): Promise<VoiceCall> {
  return (await history(40)).find(({ collected }) => 'budget' in collected) as VoiceCall;
}

describe('keys and regions', () => {
  it.each([
    ['no key', '/v2/assistants', null],
    ['a key of another region', '/eu/v2/assistants', 'key-1'],
    ['an unheard-of region', '/mars/v2/assistants', 'key-1'],
  ])('%s is 401', async (_name, path, key) => {
    const { status, body } = await get(path, key);
    expect(status).toBe(401);
    expect(body.detail.category).toBe('authentication_error');
  });

  it('a wrong key is 401 when there is a right one', async () => {
    sandbox.control.settings({ synthflow: { api_key: 'right', region: 'eu' } });
    expect((await get('/eu/v2/assistants', 'wrong')).status).toBe(401);
    expect((await get('/eu/v2/assistants', 'right')).status).toBe(200);
    await expect(client().getCall('x', ask)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('the list of calls', () => {
  it('needs an agent, and takes at most 100 at a time', async () => {
    const { agent } = await answered();
    expect((await get('/v2/calls')).status).toBe(400);
    expect((await get(`/v2/calls?model_id=${agent.model_id}&limit=101`)).body.detail.description).toMatch(/100/);
    const { body } = await get(`/v2/calls?model_id=${agent.model_id}`);
    expect(body.response.pagination).toMatchObject({ limit: 20, offset: 0 });
    expect(body.response.calls).toHaveLength(20);
  });

  it('ignores parameters that it does not know', async () => {
    const { agent } = await answered();
    const all = await get(`/v2/calls?model_id=${agent.model_id}`);
    const more = await get(`/v2/calls?model_id=${agent.model_id}&start_date=2020-01-01&end_date=2020-01-02`);
    expect(more.body).toEqual(all.body);
  });

  it('leaves out the end of its window, and reads days and times as well as milliseconds', async () => {
    const { agent, started } = await answered();
    const count = async (query: string) =>
      (await get(`/v2/calls?model_id=${agent.model_id}&${query}`)).body.response.pagination.total_records;
    const all = await count('');
    expect(await count(`from_date=${started}&to_date=${started + 1}`)).toBe(1);
    expect(await count(`from_date=${started - 1}&to_date=${started}`)).toBe(0);
    expect(await count(`from_date=${encodeURIComponent(new Date(started).toISOString())}`)).toBe(
      await count(`from_date=${started}`),
    );
    expect(await count('from_date=2020-01-01&to_date=2020-01-02')).toBe(0);
    expect(all).toBeGreaterThan(1);
  });

  it('gives every call of an agent page by page', async () => {
    const calls = await history(260);
    const [first] = calls;
    const mine = calls.filter(({ agent }) => agent.model_id === first?.agent.model_id).map(({ id }) => id);
    const found: unknown[] = [];
    const window = { model_id: first?.agent.model_id as string, from: NOW - 7 * 3600_000, to: Date.now() };
    for await (const { call_id } of client().eachCall(window, ask)) found.push(call_id);
    expect(found.sort()).toEqual(mine.sort());
    expect(found.length).toBeGreaterThan(100);
  });
});

describe('one call', () => {
  it('comes in two shapes, neither of which is whole', async () => {
    const call = await answered();
    const { body } = await get(`/v2/calls/${call.id}`);
    const single = body.response.calls[0];
    expect(single).toMatchObject({ status: 'completed', prompt_variables: call.prompt_variables });
    for (const absent of ['judge_results', 'lead_name', 'lead_phone_number', 'call_status'])
      expect(single).not.toHaveProperty(absent);
    const list = await get(`/v2/calls?model_id=${call.agent.model_id}&limit=100`);
    const listed = list.body.response.calls.find(({ call_id }: { call_id: string }) => call_id === call.id);
    expect(Object.keys(listed)).toHaveLength(33);
    expect(listed).toMatchObject({ call_status: 'completed', lead_phone_number: call.lead.phone });
    expect(typeof listed.duration).toBe('string');
    expect(typeof listed.executed_actions.info_extractor_topic.return_value).toBe('string');
  });

  it('is whole when both are read', async () => {
    const call = await answered();
    const record = await client().readCall(call.id, ask);
    expect(record).toMatchObject({ judge_results: call.analysis, prompt_variables: call.prompt_variables });
  });

  it('that was never placed is 404, as is one that the API does not know yet', async () => {
    await expect(client().getCall('no-such-call', ask)).rejects.toMatchObject({ code: 'unknown_call' });
    const call = await answered();
    sandbox.control.place({ ...call, id: 'just-now', over: Date.now() });
    sandbox.control.settings({ synthflow: { record_delay: 60_000 } });
    await expect(client().getCall('just-now', ask)).rejects.toMatchObject({ code: 'unknown_call' });
    sandbox.control.settings({ synthflow: { record_delay: 0 } });
    expect(await client().getCall('just-now', ask)).toMatchObject({ call_id: 'just-now' });
  });
});

describe('webhook logs', () => {
  it('are kept from who names another workspace', async () => {
    expect((await get('/v2/logs')).status).toBe(422);
    expect((await get('/v2/logs?workspace_id=other')).body).toEqual({
      error: 'forbidden',
      message: 'Access denied to workspace',
    });
    await expect(client().getWebhookLog('none', ask)).rejects.toMatchObject({ code: 'unknown_log' });
  });
});

describe('faults', () => {
  it('hit the API like the others', async () => {
    sandbox.control.fault({ kind: 'status', status: 503, path: '/synthflow/v2/assistants', times: 2 });
    const found = [];
    for await (const agent of client().listAgents(ask)) found.push(agent);
    expect(found).toHaveLength(2);
    const { by_operation } = sandbox.control.requests();
    expect(by_operation['agents list']).toBe(3);
  });

  it('that never end are reported after a bounded number of attempts', async () => {
    sandbox.control.fault({ kind: 'reset', path: '/synthflow/', times: null });
    const error = await client({ attempts: 2 })
      .getCall('x', ask)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SynthflowApiError);
    expect(error).toMatchObject({ code: 'network' });
    expect(sandbox.control.requests().total).toBe(2);
  });
});
