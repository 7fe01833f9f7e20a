/**
 * Bodies under 1 MB that are made to be slow, through ingress and worker as processes: neither may stand still over one
 * of them, since all others wait meanwhile. What counts is the CPU that a process spends on one, which is at least as
 * long as it stands still and does not depend on what else the machine does, beside what it spends on an ordinary body of
 * that size, which is the measure of the machine.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sign } from '../../packages/synthflow/src/index.ts';
import type { Process } from '../support/process.ts';
import { cpuSeconds } from '../support/process-time.ts';
import { openSystem, SECRET, type TestSystem } from '../support/system.ts';

/** Times what an ordinary body costs; none of these takes more than three. What takes a step for each pair of characters costs thousands. */
const MOST = 8;
const TRIES = 3;
const ROOM = 900_000;

let system: TestSystem;
let processes: { ingress: Process; worker: Process };
/** CPU seconds that an ordinary body costs both processes. */
let ordinary: number;
beforeAll(async () => {
  system = await openSystem();
  const [ingress, worker] = await Promise.all([system.startIngress(), system.startWorker()]);
  processes = { ingress, worker };
  const body = withTranscript(fill('human: I would like to come on Tuesday.\nbot: Of course, at what time?\n'));
  // Code that runs for the first time is slow.
  await costOf(body);
  const costs = [await costOf(body), await costOf(body), await costOf(body)];
  ordinary = Math.max(0.05, ...costs);
});
afterAll(() => system.close());

const fill = (text: string, size = ROOM) => text.repeat(Math.floor(size / text.length));
const call = (more: object) => ({
  status: 'completed',
  duration: 30,
  start_time: '2026-05-04T10:59:46+02:00',
  ...more,
});
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [n.toString(36), 0]));

/** What makes them slow, and the text, with ID where the call id stands. */
const BODIES: [string, () => string][] = [
  ['nested 100,000 deep', () => `{"call":{"call_id":"ID"},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['100,000 keys at the top', () => JSON.stringify({ call: call({ call_id: 'ID' }), ...keys(100_000) })],
  ['90,000 keys collected', () => JSON.stringify({ call: call({ call_id: 'ID' }), collected_variables: keys(90_000) })],
  ['8,000 actions', () => JSON.stringify({ call: call({ call_id: 'ID' }), executed_actions: actions(8_000) })],
  ['a transcript of one line', () => withTranscript(fill('a '))],
  ['a transcript of lines', () => withTranscript(fill('human: a\n', 800_000))],
  ['a transcript of empty lines', () => withTranscript(fill('\n', 400_000))],
  ['a transcript of speakers', () => withTranscript(fill('bot: human: '))],
  ['a transcript of spaces', () => withTranscript(`human:${fill(' ')}x`)],
  ['a transcript of lone surrogates', () => withTranscript(fill('\ud800', 150_000))],
  ['a number of digits', () => withLead({ phone_number: `+${fill('1')}` })],
  ['a number of spaces', () => withLead({ phone_number: `+1${fill(' ')}x` })],
  ['an address of @', () => withLead({ email: fill('a@') })],
  ['an address of dots', () => withLead({ email: `${fill('a.')}@example.com` })],
  ['a name of spaces', () => withLead({ name: `A${fill(' ')}B` })],
  [
    'JSON in a text in JSON',
    () => JSON.stringify({ call: call({ call_id: 'ID' }), executed_actions: fill('[', 800_000) }),
  ],
  [
    'an analysis of texts',
    () => JSON.stringify({ call: call({ call_id: 'ID' }), analysis: { all_feedback: fill('no. ') } }),
  ],
  ['no JSON at all', () => fill('{"a":')],
];

function withTranscript(transcript: string): string {
  return JSON.stringify({ call: call({ call_id: 'ID', transcript }) });
}

function withLead(lead: object): string {
  return JSON.stringify({ call: call({ call_id: 'ID' }), lead });
}

function actions(count: number): object {
  const value = { action_type: 'extract_info_action_type', return_value: '{"budget":"10k"}' };
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`info_extractor_${n}`, value]));
}

async function send(template: string): Promise<void> {
  const id = randomUUID();
  const body = template.replace('"ID"', JSON.stringify(id));
  expect(Buffer.byteLength(body)).toBeLessThan(1_000_000);
  const answer = await fetch(`http://127.0.0.1:${processes.ingress.port}/webhooks/main/post-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'synthflow-signature': sign(id, SECRET) },
    body,
  });
  expect([202, 400, 401]).toContain(answer.status);
  if (answer.status === 202) await system.settled(id);
}

/** CPU seconds that both processes spend until this body is settled. */
async function costOf(body: string): Promise<number> {
  const spent = () => cpuSeconds(processes.ingress.pid) + cpuSeconds(processes.worker.pid);
  const before = spent();
  await send(body);
  return spent() - before;
}

it.each(BODIES)(
  '%s',
  async (_name, bodyOf) => {
    const body = bodyOf();
    const costs: number[] = [];
    while (costs.length < TRIES && !costs.some((cost) => cost < MOST * ordinary)) costs.push(await costOf(body));
    expect(costs.at(-1), `${costs.join(', ')} s where an ordinary body takes ${ordinary} s`).toBeLessThan(
      MOST * ordinary,
    );
  },
  60_000,
);
