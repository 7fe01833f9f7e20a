/** HubSpot's own transcripts: at most one for each call, whatever is lost, repeated or done twice at once. */
import { type MemoryCommons, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { deliver, failure, ids, planFor, write } from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hubspotDialect, hubspotKind } from '../src/index.ts';
import { hubspotHarness, openAccount } from './hubspot-harness.ts';

let account: Awaited<ReturnType<typeof openAccount>>;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  account = await openAccount();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await account.close();
});

const APP = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', refresh_token: 'sandbox-refresh' };

async function connect(more: object = APP) {
  const settings = hubspotKind.settings.parse({ base_url: account.sandbox.hubspotUrl, timeout: 60_000, ...more });
  const destination = await hubspotKind.connect('sales', settings);
  opened.push(destination);
  return destination;
}

function compiled(times = 'estimated'): CompiledMapping {
  const text = `person: { unmatched: create }\ncall_log: { title: A call, transcript: ${times} }\n`;
  return compileSample(hubspotDialect, text);
}

function planOf(id: string, said = 'Hello', n = 1): Plan {
  const { call } = planFor(hubspotHarness, { id, phone: `+1415555${1000 + n}` });
  const turns = [
    { speaker: 'agent' as const, text: said },
    { speaker: 'human' as const, text: 'Good, and you?' },
  ];
  return compiled().plan({ ...call, duration: 90, turns }, 'sample');
}

/** What stands beside each call: texts of every transcript. */
const transcripts = () =>
  account.sandbox
    .records('calls')
    .map(({ transcripts = [] }) => transcripts.map(({ utterances }) => utterances.map(({ text }) => text).join(' | ')));
const asked = () =>
  account.sandbox.control
    .requests()
    .requests.map(({ object = '', operation }) => `${object} ${operation}`.trim())
    .filter((operation) => operation !== 'oauth token');
const notes = (outcome: Awaited<ReturnType<typeof write>>[number] | undefined) =>
  outcome?.ok ? outcome.receipt.notes : [failure(outcome).message];
const again = (plan: Plan, outcome: Awaited<ReturnType<typeof write>>[number] | undefined): Plan => {
  const records = outcome?.ok ? ids(outcome) : (failure(outcome).details.done ?? {});
  return { ...plan, resume: { attempts: 1, records, done: Object.keys(records) } };
};

test('a call’s transcript is written beside it, for one request more, and a replay adds none and asks for none', async () => {
  const destination = await connect();
  const commons = makeMemoryCommons();
  const plan = planOf('c1');
  const [outcome] = await write(destination, [plan], commons);
  expect(asked()).toEqual(['contacts search', 'contacts batch/create', 'calls batch/create', 'transcript create']);
  const [call] = account.sandbox.records('calls');
  expect(ids(outcome)).toMatchObject({ 'call_log.transcript': call?.properties.hs_call_transcription_id });
  expect(call?.transcripts).toMatchObject([
    {
      utterances: [
        { speaker: { id: 'agent' }, text: 'Hello', startTimeMillis: 1 },
        { speaker: { id: 'human' }, text: 'Good, and you?', endTimeMillis: 90_000 },
      ],
    },
  ]);
  const replayed = { ...plan, resume: { attempts: 1, records: ids(outcome) } };
  expect(ids((await write(destination, [replayed], commons))[0])).toEqual(ids(outcome));
  // Somebody who has forgotten everything asks the call.
  expect(ids((await write(destination, [{ ...plan, resume: { attempts: 1, records: {} } }]))[0])).toEqual(ids(outcome));
  expect(asked().filter((operation) => operation.startsWith('transcript'))).toEqual(['transcript create']);
  expect(transcripts()).toEqual([['Hello | Good, and you?']]);
});

test('many calls have one each, and a service key writes the calls without', async () => {
  const plans = Array.from({ length: 30 }, (_, n) => planOf(`c${n}`, `Call ${n}`, n));
  const outcomes = await write(await connect(), plans);
  expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
  expect(new Set(transcripts().map((all) => all.join()))).toHaveLength(30);
  const destination = await connect({ access_token: 'pat-na1-test' });
  const commons = makeMemoryCommons();
  for (const plan of [planOf('d1'), planOf('d2', 'Hi', 2)]) {
    const [outcome] = await write(destination, [plan], commons);
    expect(notes(outcome)).toEqual([expect.stringContaining('crm.extensions_calling_transcripts.write')]);
  }
  // The one that was refused is enough for a while.
  expect(account.sandbox.control.requests().by_status[403]).toBe(1);
});

describe('an answer that is lost', () => {
  const deliverOnce = async (kind: 'commit_then_reset' | 'commit_then_500' | 'commit_then_hang' | 'reset' | 'hang') => {
    account.sandbox.control.fault({ kind, path: '/transcripts$' });
    // What hangs is waited for so long; whatever else takes longer on a busy machine is tried again.
    const destination = await connect({ ...APP, timeout: kind.endsWith('hang') ? 1_500 : 60_000 });
    return deliver(destination, planOf('c1'), makeMemoryCommons());
  };

  test.each(['commit_then_reset', 'commit_then_500', 'commit_then_hang'] as const)(
    'is found on the call: %s',
    async (kind) => {
      const outcome = await deliverOnce(kind);
      expect(transcripts()).toEqual([['Hello | Good, and you?']]);
      expect(ids(outcome)).toHaveProperty(['call_log.transcript']);
      expect(notes(outcome)).toEqual([]);
    },
  );

  test.each(['reset', 'hang'] as const)('leaves it out where the call shows none, and says so: %s', async (kind) => {
    const outcome = await deliverOnce(kind);
    expect(transcripts()).toEqual([[]]);
    expect(notes(outcome)).toEqual([expect.stringContaining('whether HubSpot took it is not known')]);
  });

  test('is looked for again by a later replay, which writes none of its own', async () => {
    const commons = makeMemoryCommons();
    const destination = await connect();
    account.sandbox.control.fault({ kind: 'reset', path: '/transcripts$' });
    const outcome = await deliver(destination, planOf('c1'), commons);
    const plan = { ...planOf('c1'), resume: { attempts: 1, records: ids(outcome) } };
    expect(notes((await write(destination, [plan], commons))[0])).toHaveLength(1);
    expect(transcripts()).toEqual([[]]);
  });
});

test('what HubSpot refuses for certain is tried again where it may pass, and noted where it may not', async () => {
  account.sandbox.control.fault({ kind: 'ten_secondly', path: '/transcripts$' });
  const commons = makeMemoryCommons();
  const destination = await connect();
  const [throttled] = await write(destination, [planOf('c1')], commons);
  expect(failure(throttled)).toMatchObject({ code: 'throttled', details: { done: { call_log: expect.any(String) } } });
  const [written] = await write(destination, [again(planOf('c1'), throttled)], rested(commons));
  expect(notes(written)).toEqual([]);
  account.sandbox.control.fault({ kind: 'status', status: 400, path: '/transcripts$', body: { message: 'No.' } });
  const [refused] = await write(destination, [planOf('c2', 'Hi', 2)]);
  expect(notes(refused)).toEqual([expect.stringContaining('its transcript was left out')]);
  expect(transcripts()).toEqual([['Hello | Good, and you?'], []]);
});

/** The same, with the quota back. */
function rested(commons: MemoryCommons): MemoryCommons {
  return { ...commons, budget: makeMemoryCommons().budget };
}

test('a call that the calling extensions do not know yet is tried again', async () => {
  account.sandbox.control.fault({ kind: 'status', status: 404, path: '/transcripts$', times: 2 });
  const outcome = await deliver(await connect(), planOf('c1'), makeMemoryCommons());
  expect(notes(outcome)).toEqual([]);
  expect(transcripts()).toEqual([['Hello | Good, and you?']]);
});

test('a later revision replaces it', async () => {
  const commons = makeMemoryCommons();
  const destination = await connect();
  const [first] = await write(destination, [planOf('c1')], commons);
  const revised = { ...planOf('c1', 'Hello, Dana'), resume: { attempts: 1, records: ids(first) } };
  const [second] = await write(destination, [revised], commons);
  expect(second).toMatchObject({ ok: true, receipt: { notes: [] } });
  expect(ids(second)['call_log.transcript']).not.toBe(ids(first)['call_log.transcript']);
  expect(transcripts()).toEqual([['Hello, Dana | Good, and you?']]);
});

test('a call log that was deleted and is written anew has its own', async () => {
  const commons = makeMemoryCommons();
  const destination = await connect();
  const [first] = await write(destination, [planOf('c1')], commons);
  const { call_log } = ids(first);
  const headers = { authorization: 'Bearer pat-na1-test' };
  await fetch(`${account.sandbox.hubspotUrl}/crm/v3/objects/calls/${call_log}`, { method: 'DELETE', headers });
  const replayed = { ...planOf('c1'), resume: { attempts: 1, records: ids(first) } };
  const [second] = await write(destination, [replayed], commons);
  expect(ids(second).call_log).not.toBe(call_log);
  expect(ids(second)['call_log.transcript']).not.toBe(ids(first)['call_log.transcript']);
  expect(transcripts()).toEqual([['Hello | Good, and you?']]);
});

test('deliveries of one call at once write one', async () => {
  const commons = makeMemoryCommons();
  const processes = [await connect(), await connect()] as const;
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, n) => deliver(processes[n % 2 === 0 ? 0 : 1], planOf('c1'), commons)),
  );
  expect(new Set(outcomes.map((outcome) => ids(outcome)['call_log.transcript']))).toHaveLength(1);
  expect(transcripts()).toEqual([['Hello | Good, and you?']]);
});

describe('before anything is written', () => {
  const findings = async (settings?: object) =>
    (await (await connect(settings)).check([compiled()], makeMemoryContext())).map(({ code, severity, message }) => [
      severity,
      code,
      message,
    ]);

  test('doctor says whether the connection may, and names the scope', async () => {
    expect(await findings()).toEqual([]);
    expect(await findings({ access_token: 'pat-na1-test' })).toEqual([
      ['error', 'missing-scope', expect.stringMatching(/OAuth app .*transcripts\.write.* service key/)],
    ]);
    account.sandbox.control.settings({ hubspot: { revoked_scopes: ['crm.extensions_calling_transcripts.read'] } });
    expect(await findings()).toEqual([['error', 'missing-scope', expect.stringContaining('transcripts.write')]]);
  });

  test('a preview tells what it would hold, and what it would cost', async () => {
    const destination = await connect();
    const [preview] = await destination.preview([planOf('c1')], makeMemoryContext());
    expect(preview?.records.at(-1)).toMatchObject({
      name: 'call_log.transcript',
      object: 'transcripts',
      did: 'create',
      fields: [
        { field: 'utterances', to: 2 },
        { field: 'times', to: 'estimated' },
      ],
    });
    expect(preview?.requests).toBe(4);
    await write(destination, [planOf('c1')]);
    const [after] = await destination.preview([planOf('c1')], makeMemoryContext());
    expect(after?.records.map(({ name }) => name)).toEqual(['person', 'call_log']);
  });
});
