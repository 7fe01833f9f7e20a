/** A worker in the memory that docker-compose.yml gives it, and bodies that are made to take more. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import type { Process } from '../support/process.ts';
import { makeArrival } from '../support/store.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const MB = 1024 * 1024;
/** `mem_limit` of the worker in docker-compose.yml, and the heap that Node chooses under it. */
const LIMIT = 1024 * MB;
const HEAP_MB = 512;
/** Of each body, under ids of their own: they come to the worker together. */
const COPIES = 2;

let system: TestSystem;
let worker: Process;

beforeAll(async () => {
  system = await openSystem({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } });
  worker = await system.startWorker();
});
afterAll(() => system.close());

const LIST = (bytes: number) => `[${'{},'.repeat(Math.floor(bytes / 3))}{}]`;
const TEXT = (bytes: number) => 'human: a word or two. '.repeat(bytes / 22);

/** Each body as it would be kept, whichever way it came past ingress. */
const BODIES: [name: string, make: (id: string) => string][] = [
  ['6 MB of {}', (id) => `{"call":{"call_id":"${id}"},"x":${LIST(6 * MB)}}`],
  ['24 MB of {}', (id) => `{"call":{"call_id":"${id}"},"metadata":{"x":${LIST(24 * MB)}}}`],
  ['300 kB of {}', (id) => withMember(id, 'metadata', `{"x":${LIST(0.3 * MB)}}`)],
  ['{} in texts that hold JSON', (id) => withMember(id, 'executed_actions', actionsOf(id))],
  ['24 MB of words', (id) => withMember(id, 'notes', JSON.stringify(TEXT(24 * MB)))],
  ['a list a million levels deep', (id) => `{"call":{"call_id":"${id}"},"x":${'['.repeat(MB)}${']'.repeat(MB)}}`],
];

function withMember(call_id: string, member: string, json: string): string {
  const payload = samplePayload('connected', { call_id }) as unknown as Record<string, unknown>;
  delete payload[member];
  return `${JSON.stringify(payload).slice(0, -1)},"${member}":${json}}`;
}

function actionsOf(id: string): string {
  const text = JSON.stringify(LIST(3.9 * MB));
  const actions = Array.from({ length: 6 }, (_, index) => `"a${index}":{"name":"${id}","return_value":${text}}`);
  return `{${actions.join()}}`;
}

function peakBytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

it('none of them kills it, each is written or waits for a person, and memory stays within the limit', async () => {
  const ids: string[] = [];
  for (const [index, [, make]] of BODIES.entries()) {
    for (let copy = 0; copy < COPIES; copy += 1) {
      const id = `heavy-${index}-${copy}`;
      ids.push(id);
      await system.store.accept(makeArrival(id, Buffer.from(make(id))), 90);
    }
  }
  const light = 'light-1';
  await system.store.accept(
    makeArrival(light, Buffer.from(JSON.stringify(samplePayload('connected', { call_id: light })))),
    90,
  );

  const ends = new Map<string, string>();
  for (const id of [light, ...ids]) {
    const entry = await system.settled(id, 240_000);
    ends.set(id, entry.stopped?.code ?? entry.deliveries[0]?.state ?? 'nothing');
  }
  const endsOf = (index: number) =>
    new Set(Array.from({ length: COPIES }, (_, copy) => ends.get(`heavy-${index}-${copy}`)));
  expect(ends.get(light)).toBe('written');
  expect(BODIES.map(([name], index) => [name, ...endsOf(index)])).toEqual([
    ['6 MB of {}', 'too_complex'],
    ['24 MB of {}', 'too_complex'],
    ['300 kB of {}', 'written'],
    ['{} in texts that hold JSON', 'written'],
    ['24 MB of words', 'written'],
    ['a list a million levels deep', 'too_complex'],
  ]);
  expect((await fetch(`http://127.0.0.1:${worker.port}/healthz`)).status).toBe(200);
  const peak = peakBytes(worker.pid);
  console.log(`peak of the worker: ${Math.round(peak / MB)} MB`);
  expect(peak).toBeLessThan(LIMIT);
});
