import { afterEach, expect, it } from 'vitest';
import type { EvaluationRequest } from '../src/workbench/evaluate.ts';
import { Evaluator } from '../src/workbench/evaluator.ts';
import { type ConfigFolder, MAPPING_FILE, makeConfigFolder } from './support/config-folder.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function open(
  options = {},
): Promise<{ evaluator: Evaluator; question: (text?: string, call?: string) => EvaluationRequest }> {
  const files: ConfigFolder = await makeConfigFolder();
  const evaluator = new Evaluator(options);
  closers.push(() => evaluator.close(), files.remove);
  const place = { config: files.config().file, path: MAPPING_FILE, kind: 'hubspot' };
  return {
    evaluator,
    question: (text = 'extends: hubspot/call-log\n', call = 'given: connected') => ({
      mapping: { place, text, route: { name: 'sales-calls', to: 'sales' } },
      source: { name: 'main', agents: {}, default_country: 'US' },
      given: { text: call, received_at: 0 },
    }),
  };
}

/** Each field goes over all of a text of 200,000 characters. */
function fields(count: number): string {
  const lines = Array.from({ length: count }, (_, n) => `    f${n}: "${n} {{ call.transcript | upper }}"`);
  return `call_log:\n  fields:\n${lines.join('\n')}\n`;
}
const LARGE = JSON.stringify({
  call: { call_id: 'c-1', status: 'completed', transcript: `human: ${'abc '.repeat(60_000)}` },
});

it('the process goes on while a mapping is evaluated', async () => {
  const { evaluator, question } = await open({ within: 100_000 });
  await evaluator.evaluate('kim', question());
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const { plan, took } = await evaluator.evaluate('kim', question(fields(300), LARGE));
  clearInterval(timer);
  expect(plan?.records[0]?.fields).toHaveLength(300);
  expect(took).toBeGreaterThan(0);
  expect(turns).toBeGreaterThan(3);
});

it('a mapping that takes too much is stopped, and the next one is evaluated', async () => {
  const { evaluator, question } = await open({ within: 100_000 });
  const text = fields(3_000);
  expect(text.length).toBeLessThan(200_000);
  await expect(evaluator.evaluate('kim', question(text, LARGE))).rejects.toThrow('more than 256 MB');
  const { plan, outcome } = await evaluator.evaluate('kim', question());
  expect([plan?.records.map(({ name }) => name), outcome?.result]).toEqual([['call_log', 'call-back'], 'created']);
  const quick = await open({ within: 1 });
  await expect(quick.evaluator.evaluate('kim', quick.question())).rejects.toThrow('more than 1 ms');
});

it('what waits gives way to a newer question of the same operator, and to no other’s', async () => {
  const { evaluator, question } = await open();
  const first = evaluator.evaluate('kim', question());
  const second = evaluator.evaluate('kim', question());
  const other = evaluator.evaluate('eve', question());
  const third = evaluator.evaluate('kim', question('extends: hubspot/nothing\n'));
  await expect(second).rejects.toMatchObject({ why: 'newer' });
  expect((await first).findings).toEqual([]);
  expect((await other).findings).toEqual([]);
  expect((await third).findings).toMatchObject([{ code: 'unknown-preset' }]);
});

it('refuses when too many wait, and takes questions again afterwards', async () => {
  const { evaluator, question } = await open();
  const asked = Array.from({ length: 20 }, (_, n) => evaluator.evaluate(`operator ${n}`, question()));
  const done = await Promise.allSettled(asked);
  const refused = done.filter(({ status }) => status === 'rejected');
  expect(refused.map((one) => (one as PromiseRejectedResult).reason.why)).toEqual(['busy', 'busy', 'busy']);
  expect((await evaluator.evaluate('kim', question())).findings).toEqual([]);
});

it('ends its thread when nothing is asked, and starts another', async () => {
  const { evaluator, question } = await open({ idle: 1 });
  await evaluator.evaluate('kim', question());
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await evaluator.evaluate('kim', question())).findings).toEqual([]);
});
