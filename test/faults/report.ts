/** docs/reliability.md, and beside it the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderExplored } from '../explore/report.ts';
import { renderPower } from '../power/report.ts';
import { FAULTS } from './faults.ts';
import type { Run } from './run-fault.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');
const PAGE = join(DOCS, 'reliability.md');
const FIGURES = join(import.meta.dirname, 'results.json');

interface Figures {
  calls: number;
  /** ISO 8601 date by fault. */
  dates: Record<string, string>;
  runs: Run[];
}

/** Writes the page anew from the figures that are there. */
export function renderAgain(): void {
  writeFileSync(PAGE, render(JSON.parse(readFileSync(FIGURES, 'utf8'))));
}

/** Runs of a fault replace those that were there of it. */
export function publish(runs: readonly Run[], calls: number): void {
  const before: Figures = existsSync(FIGURES)
    ? JSON.parse(readFileSync(FIGURES, 'utf8'))
    : { calls, dates: {}, runs: [] };
  const fresh = new Set(runs.map(({ fault }) => fault));
  const today = new Date().toISOString().slice(0, 10);
  const figures: Figures = {
    calls,
    dates: { ...before.dates, ...Object.fromEntries([...fresh].map((fault) => [fault, today])) },
    runs: [...before.runs.filter(({ fault }) => !fresh.has(fault)), ...runs].sort(
      (a, b) => orderOf(a.fault) - orderOf(b.fault) || a.seed - b.seed,
    ),
  };
  writeFileSync(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(PAGE, render(figures));
}

function orderOf(name: string): number {
  return FAULTS.findIndex((fault) => fault.name === name);
}

function render({ runs, dates }: Figures): string {
  const rows = FAULTS.flatMap((fault) => {
    const of = runs.filter((run) => run.fault === fault.name);
    if (of.length === 0) return [];
    const sum = (count: (run: Run) => number) => of.reduce((total, run) => total + count(run), 0);
    return [
      `| \`${fault.name}\` | ${fault.what} | ${of.map(({ seed }) => seed).join(', ')} | ${sum(({ calls }) => calls)} | ${sum(({ acknowledged }) => acknowledged)} | ${sum(({ written }) => written)} | ${sum(({ parked }) => parked)} | ${sum(({ dead }) => dead)} | ${sum(({ broken }) => broken.length)} | ${dates[fault.name]} |`,
    ];
  });
  const broken = runs.reduce((total, run) => total + run.broken.length, 0);
  const calls = runs.reduce((total, run) => total + run.calls, 0);
  return `# Reliability

What Wrapup promises, put to the test: things are broken while calls come in, and then it is counted what the CRM holds.
This page is written by \`npm run test:faults\`; the faults are in \`test/faults/faults.ts\`.

**The invariant.** Every acknowledged call (the sender was answered 2xx) ends in exactly one call log, or in a parked or dead entry
that \`wrapup parked\` or \`wrapup dead\` shows. No call has two, no caller is there twice, no task is missing or there twice, the log
of a call that was written is with its caller and with no one else, and no call is nowhere. It is checked against the record of effects that the sandbox keeps, not against what Wrapup believes.

**A run** is a whole installation: Redis that syncs every write, ingress and workers as processes, and the sandbox as the
CRM. Its calls come over some six seconds, eight at a time; half of the callers are known to the CRM, by a mobile number alone, and their
first call fills in the other; most call more than once, one call in twenty is sent twice at once, three in ten leave a task. A sender that is not answered 2xx sends again up to
five times. The fault strikes at moments that the seed chooses; after it all is repaired, and the run waits until nothing is on its
way any more. Moments depend on the seed, what is in hand at that moment also on the machine.

${runs.length} runs of ${rows.length} faults, ${calls} calls, **${broken} violations**.

| Fault | What happens | Seeds | Calls | Acknowledged | One call log | Parked | Dead | Violations | Run on |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

Calls that were not acknowledged were refused with 503, or their connection broke: a sender that tries longer has them taken
as soon as Redis and ingress are back, and \`reconcile\` finds them at the voice platform in any case.

${renderPower()}${renderExplored()}
The tests that hold each promise one by one: [Promises](promises.md).

## Again

Repeat one: \`npm run test:faults -- redis-killed --seeds 3\`. A few runs of the matrix, smaller, are part of \`npm test\`.
`;
}
