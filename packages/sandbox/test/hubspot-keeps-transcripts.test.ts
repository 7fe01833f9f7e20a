/** Transcripts of calls, through the vendor's own client: it has no method for them, and so they go by `apiRequest`. */
import { beforeEach, expect, test } from 'vitest';
import { aCall, clientOf, sandboxForFile, send } from './support.ts';

const sandbox = await sandboxForFile();
const PATH = '/crm/extensions/calling/2026-09/transcripts';

let call: string;
let client: ReturnType<typeof clientOf>;
beforeEach(async () => {
  [call = ''] = sandbox.control.seed({ records: { calls: [{ properties: aCall('1') }] } }).calls ?? [];
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'sandbox-client',
    client_secret: 'sandbox-secret',
    refresh_token: 'sandbox-refresh',
  });
  const response = await fetch(`${sandbox.hubspotUrl}/oauth/2026-09/token`, { method: 'POST', body: form });
  client = clientOf(sandbox, ((await response.json()) as { access_token: string }).access_token);
});

const said = (more: object = {}) => ({
  speaker: { id: 'agent', name: 'Alice' },
  text: 'Hello',
  startTimeMillis: 1,
  endTimeMillis: 900,
  ...more,
});

async function ask(method: string, path: string, body?: object) {
  const response = await client.apiRequest({ method, path, ...(body ? { body } : {}) });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at field by field
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any };
}
const create = (engagementId: unknown, ...transcriptCreateUtterances: object[]) =>
  ask('POST', PATH, { engagementId, transcriptCreateUtterances });

test('one is created, read, named by its call, and deleted', async () => {
  const email = 'dana@example.com';
  const human = { speaker: { id: 'human', name: 'Dana', email }, startTimeMillis: 900, endTimeMillis: 1_500 };
  const { status, body } = await create(Number(call), said(), said(human));
  expect([status, body]).toEqual([200, { id: expect.stringMatching(/^\d+$/) }]);
  expect(await ask('GET', `${PATH}/${body.id}`)).toMatchObject({
    status: 200,
    body: {
      id: body.id,
      engagementId: Number(call),
      transcriptSource: 'INTEGRATOR_GENERATED',
      transcriptUtterances: [
        { speaker: { id: 'agent', name: 'Alice' }, text: 'Hello', languageCode: 'en-US', startTimeMillis: 1 },
        { speaker: { email }, endTimeMillis: 1_500 },
      ],
    },
  });
  expect(sandbox.records('calls')).toMatchObject([
    {
      properties: { hs_call_transcription_id: body.id, hs_call_has_transcript: 'true' },
      transcripts: [{ id: body.id, utterances: [{}, {}] }],
    },
  ]);
  expect((await ask('DELETE', `${PATH}/${body.id}`)).status).toBe(204);
  expect((await ask('GET', `${PATH}/${body.id}`)).status).toBe(404);
  expect((await ask('DELETE', `${PATH}/${body.id}`)).status).toBe(404);
  expect(sandbox.records('calls')[0]?.properties).toMatchObject({ hs_call_has_transcript: 'false' });
});

test('a second one stands beside the first: nothing tells them apart', async () => {
  await create(Number(call), said());
  await create(Number(call), said());
  expect(sandbox.records('calls')[0]?.transcripts).toHaveLength(2);
});

test('bodies are checked as the guide demands', async () => {
  const problems = async (engagementId: unknown, ...utterances: object[]) => {
    const { status, body } = await create(engagementId, ...utterances);
    return [status, body.category, Object.keys(body.context ?? {})];
  };
  const at = (name: string) => [400, 'VALIDATION_ERROR', [`transcriptCreateUtterances[0].${name}`]];
  expect(await problems(undefined, said())).toEqual([400, 'VALIDATION_ERROR', ['engagementId']]);
  expect(await problems('x', said())).toEqual([400, 'VALIDATION_ERROR', ['engagementId']]);
  expect(await problems(Number(call))).toEqual([400, 'VALIDATION_ERROR', ['transcriptCreateUtterances']]);
  expect(await problems(Number(call), said({ startTimeMillis: undefined }))).toEqual(at('startTimeMillis'));
  expect(await problems(Number(call), said({ endTimeMillis: undefined }))).toEqual(at('endTimeMillis'));
  expect(await problems(Number(call), said({ startTimeMillis: 0 }))).toEqual(at('startTimeMillis'));
  expect(await problems(Number(call), said({ startTimeMillis: 1.5 }))).toEqual(at('startTimeMillis'));
  expect(await problems(Number(call), said({ endTimeMillis: 1 }))).toEqual(at('endTimeMillis'));
  expect(await problems(Number(call), said({ speaker: { id: 'agent' } }))).toEqual(at('speaker.name'));
  expect(await problems(Number(call), said({ text: '' }))).toEqual(at('text'));
  expect(await problems(Number(call), said({ volume: 3 }))).toEqual(at('volume'));
  expect(await problems(4711, said())).toEqual([404, 'OBJECT_NOT_FOUND', ['engagementId']]);
  expect(sandbox.records('calls')[0]).not.toHaveProperty('transcripts');
});

test('it takes an app, and the app its scopes', async () => {
  const refusal = { status: 403, body: { category: 'MISSING_SCOPES' } };
  const body = { engagementId: Number(call), transcriptCreateUtterances: [said()] };
  expect(await send(sandbox, 'POST', PATH, body)).toMatchObject(refusal);
  sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.extensions_calling_transcripts.write'] } });
  const { status, body: answer } = await create(Number(call), said());
  expect([status, answer.errors[0].context.requiredGranularScopes]).toEqual([
    403,
    ['crm.extensions_calling_transcripts.write'],
  ]);
});

test('the page shows it with its call', async () => {
  await create(Number(call), said(), said({ text: '<b>Bye</b>', startTimeMillis: 61_000, endTimeMillis: 62_000 }));
  const page = await (await fetch(`${sandbox.url}/`)).text();
  expect(page).toContain('<summary>Transcript</summary>');
  expect(page).toContain('0:00 Alice: Hello');
  expect(page).toContain('1:01 Alice: &lt;b&gt;Bye');
});
