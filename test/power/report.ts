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

const WHAT = {
  gone: 'are gone',
  torn: 'are there in part: the file ends anywhere',
  flipped: 'are there, with up to eight bits flipped',
  zeroed: 'are zeros from some point on, as a file system leaves them that has noted the length before the content',
};

/** The section of the page; empty where nothing was published. */
export function renderPower(): string {
  const runs = readRuns();
  if (runs.length === 0) return '';
  const always = sum(runs.filter(({ appendfsync }) => appendfsync === 'always'));
  const everysec = sum(runs.filter(({ appendfsync }) => appendfsync === 'everysec'));
  const tails = TAILS.map((tail) => {
    const of = runs.flatMap(({ cuts }) => cuts).filter((cut) => cut.tail === tail);
    const left = (how: string) => of.filter((cut) => cut.left === how).length;
    const unsynced = of.filter((cut) => cut.unsynced > 0).length;
    return `| ${WHAT[tail]} | ${of.length} | ${unsynced} | ${left('trimmed')} | ${left('by hand')} |`;
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

| Bytes that were written and not synced | Cuts | With such bytes | Cut off before the start | Taken away by hand |
| --- | ---: | ---: | ---: | ---: |
${tails.join('\n')}

**What it found**, corrected since:

- Redis cuts a file that ends within a transaction after the last whole command (\`aof-load-truncated yes\`, its default), and the beginning of the
  transaction stays. The next start carries it out in part; and after one more power cut \`redis-check-aof --fix\` takes away what was acknowledged since: 1152 and
  1598 of 10,000 calls in two of ten runs. [Valkey](https://github.com/valkey-io/valkey/pull/4342) has corrected this in its own code. Wrapup now runs Redis without that setting, and
  [a script](../deploy/kubernetes/components/redis/trim-aof.sh) cuts before the transaction ahead of each start.
- A full disk ends Redis with \`appendfsync always\`. The runbook said that it goes on by itself.

**What it does not cover.** What Redis can still read as commands after a bit was flipped it loads as it stands, since its file has no checksums: ${always.damaged} of
the calls that were on their way at such a cut, and were acknowledged when they came again, are damaged. A file system with checksums (ZFS, Btrfs) hands out no such bits. Assumed is that what was
synced stays, and that names of files reach the disk in the order in which they are given, as on ext4 and XFS. Disks that say that they have synced and have not, and damage to
what was synced long ago, take a backup.
`;
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
