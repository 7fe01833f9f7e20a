/**
 * The soak: an installation that works for hours while faults of the matrix strike, and what must not rise meanwhile.
 *
 *   npm run soak -- --minutes 30                      half an hour, seed 1, two calls in a second
 *   npm run soak -- --minutes 120 --out soak.jsonl    two hours; what is measured goes into this file as it comes
 *   npm run soak -- --minutes 10 --leak 1000          a control: ingress keeps 1000 bytes of each request, and is found
 *   npm run soak -- --judge soak.jsonl                says again what comes of such a file
 *   npm run soak -- --publish soak.jsonl              and writes it to test/soak/results.json, docs/soak.svg and docs/reliability.md
 *
 * SIGINT and SIGTERM end it early, with what was measured until then judged as it is. Exit code 1 when a figure rises, or a call is lost or
 * there twice.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { renderAgain } from '../faults/report.ts';
import { publishSoak, readSoak, summarise } from './report.ts';
import { runSoak, type SoakOptions } from './run-soak.ts';
import type { Sample } from './samples.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '2' },
    leak: { type: 'string', default: '0' },
    out: { type: 'string' },
    judge: { type: 'string' },
    publish: { type: 'string' },
  },
});
const earlier = values.publish ?? values.judge;
const file = earlier ?? values.out ?? join(tmpdir(), `wrapup-soak-${process.pid}.jsonl`);
if (earlier === undefined) {
  const { minutes, seed, rate, leak } = values;
  await measure({ minutes: Number(minutes), seed: Number(seed), rate: Number(rate), leak: Number(leak) });
}
const soak = readSoak(file);
const { lines, isGood } = summarise(soak);
console.log(lines.join('\n'));
if (values.publish !== undefined) {
  publishSoak(soak);
  renderAgain();
}
process.exit(isGood ? 0 : 1);

async function measure(options: SoakOptions): Promise<void> {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, `${JSON.stringify({ options, date })}\n`);
  console.log(`What is measured goes to ${file}`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const end = await runSoak(options, stop.signal, (sample) => {
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
    show(sample);
  });
  appendFileSync(file, `${JSON.stringify({ end })}\n`);
}

function show({ at, calls, processes, redis, latencies }: Sample): void {
  if (!redis) return;
  const heaps = Object.entries(processes).map(([name, vitals]) =>
    vitals ? `${name} ${(vitals.heap / 1e6).toFixed(1)} MB, ${vitals.fds} handles` : `${name} does not answer`,
  );
  const kept = `${redis.calls} calls in the ledger, ${redis.keys} keys`;
  console.log(`${at.toFixed(0)} s: ${calls} calls; ${heaps.join('; ')}; ${kept}; ${latencies?.p50 ?? '-'} ms`);
}
