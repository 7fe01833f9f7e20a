/** What docs/reliability.md says of power cuts, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '../support/section.ts';
import { TAILS } from './power-redis.ts';
import type { PowerRun } from './power-run.ts';

const FIGURES = join(import.meta.dirname, 'results.json');

/** ISO 8601 date of each run beside it. */
type DatedRun = PowerRun & { date: string };

/** A run replaces the one that was there with its seed. */
export function publishPower(run: PowerRun): void {
  const dated = { ...run, date: new Date().toISOString().slice(0, 10) };
  const others = readRuns().filter(({ seed, appendfsync }) => seed !== run.seed || appendfsync !== run.appendfsync);
  writeFileSync(FIGURES, `${JSON.stringify([...others, dated], undefined, 2)}\n`);
}

function readRuns(): DatedRun[] {
  return existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : [];
}

const WHAT = {
  gone: 'are gone',
  torn: 'are there in part: the file ends anywhere',
  flipped: 'are there, with up to eight bits flipped',
  zeroed: 'are zeros from some point on, as a file system leaves them that has noted the length before the content',
};

export function powerSection(): Section {
  const runs = readRuns();
  const always = sum(runs.filter(({ appendfsync }) => appendfsync === 'always'));
  const everysec = sum(runs.filter(({ appendfsync }) => appendfsync === 'everysec'));
  const tails = TAILS.map((tail) => {
    const of = runs.flatMap(({ cuts }) => cuts).filter((cut) => cut.tail === tail);
    const left = (how: string) => of.filter((cut) => cut.left === how).length;
    const unsynced = of.filter((cut) => cut.unsynced > 0).length;
    return `| ${WHAT[tail]} | ${of.length} | ${unsynced} | ${left('trimmed')} | ${left('by hand')} |`;
  });
  const size = `${always.cuts} power cuts of Redis, ${always.acknowledged} calls acknowledged; the control, \`everysec\`, lost ${everysec.lost}`;
  return {
    inShort: [['Power loss', size, String(always.lost), '`npm run test:power`', always.date]],
    blocks: {
      power: `| \`appendfsync\` | Installations | Power cuts | Acknowledged | Lost | Damaged | Run on |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| \`always\`, as Wrapup ships it | ${always.runs} | ${always.cuts} | ${always.acknowledged} | **${always.lost}** | ${always.damaged} | ${always.date} |
| \`everysec\`, the control | ${everysec.runs} | ${everysec.cuts} | ${everysec.acknowledged} | ${everysec.lost} | ${everysec.damaged} | ${everysec.date} |

| Bytes that were written and not synced | Cuts | With such bytes | Cut off before the start | Taken away by hand |
| --- | ---: | ---: | ---: | ---: |
${tails.join('\n')}`,
    },
  };
}

function sum(runs: readonly DatedRun[]) {
  const add = (count: (run: DatedRun) => number) => runs.reduce((total, run) => total + count(run), 0);
  const dates = runs.map(({ date }) => date).sort();
  return {
    runs: runs.length,
    cuts: add(({ cuts }) => cuts.length),
    acknowledged: add(({ acknowledged }) => acknowledged),
    lost: add(({ lost }) => lost),
    damaged: add(({ damaged }) => damaged),
    date: dates.at(-1) ?? '',
  };
}
