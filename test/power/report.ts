/** What docs/reliability.md says of power cuts, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** The section of the page; empty where nothing was published. */
export function renderPower(): string {
  const runs = readRuns();
  if (runs.length === 0) return '';
  const always = sum(runs.filter(({ appendfsync }) => appendfsync === 'always'));
  const everysec = sum(runs.filter(({ appendfsync }) => appendfsync === 'everysec'));
  const cuts = runs.flatMap((run) => run.cuts);
  const what = {
    gone: 'are gone',
    torn: 'are there in part: the file ends within a command',
    flipped: 'are there, with up to eight bits flipped',
    zeroed: 'are zeros from some point on, as a file system leaves them that had noted the length before the content',
  };
  const tails = TAILS.map((tail) => {
    const of = cuts.filter((cut) => cut.tail === tail);
    return `| ${what[tail]} | ${of.length} | ${of.filter(({ unsynced }) => unsynced > 0).length} | ${of.filter(({ repaired }) => repaired).length} |`;
  });
  return `
## Power loss

A killed process loses nothing that it has written: the kernel keeps it. Power takes it. \`npm run test:power\` loads a small library into
Redis, which notes how long each file was at its last completed sync (\`test/power/note-syncs.c\`; Linux and a C compiler, no root), kills
Redis under load, takes away or damages all that lies beyond, and starts it again. Calls come in at the
real ingress over 64 connections meanwhile; Redis writes its file anew in between. Of each acknowledged call the entry in the ledger, the bytes and the job have to be there.

| \`appendfsync\` | Installations | Power cuts | Acknowledged | Lost | Run on |
| --- | ---: | ---: | ---: | ---: | --- |
| \`always\`, as Wrapup ships it | ${always.runs} | ${always.cuts} | ${always.acknowledged} | **${always.lost}** | ${always.date} |
| \`everysec\`, the control | ${everysec.runs} | ${everysec.cuts} | ${everysec.acknowledged} | ${everysec.lost} | ${everysec.date} |

| Bytes that were written and not synced | Cuts | With such bytes | Needed \`redis-check-aof --fix\` |
| --- | ---: | ---: | ---: |
${tails.join('\n')}

A file that ends within a command Redis shortens by itself (\`aof-load-truncated\`). One with damage in its last bytes it refuses to load, and
[the runbook](runbooks/redis-down.md) has the command. What that takes away was never acknowledged: it lies beyond the last sync. What Redis can still read as
commands after a bit was flipped it loads as it stands, since its file has no checksums: ${always.damaged} of the calls that were on their way at such a cut are damaged by it, and their repeat
is answered as a repeat. A file system with checksums (ZFS, Btrfs) hands out no such bits. Assumed: what was synced stays,
and names of files reach the disk in the order in which they were given, as on ext4 and XFS. A disk that says it has synced and has not, and damage to what was
synced long ago, are not covered: keep backups.
`;
}

function sum(runs: readonly DatedRun[]) {
  const add = (count: (run: DatedRun) => number) => runs.reduce((total, run) => total + count(run), 0);
  return {
    runs: runs.length,
    cuts: add((run) => run.cuts.length),
    acknowledged: add(({ acknowledged }) => acknowledged),
    lost: add(({ lost }) => lost),
    damaged: add(({ damaged }) => damaged),
    date:
      runs
        .map(({ date }) => date)
        .sort()
        .at(-1) ?? '',
  };
}
