/** What docs/reliability.md says of exploring, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundPlant } from './planted/find-plants.ts';
import { PLANTS } from './planted/plants.ts';

const FIGURES = join(import.meta.dirname, 'results.json');

export interface ExploredFigures {
  seeds: number;
  steps: number;
  /** Seeds that broke something. */
  broken: number;
  /** Steps in which things may go wrong, of each seed. */
  most: number;
  /** How often each thing went wrong. */
  troubles: Record<string, number>;
  /** ISO 8601 date. */
  date: string;
}

export function publishExplored(figures: ExploredFigures): void {
  writeFileSync(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
}

const PLANTED = join(import.meta.dirname, 'planted', 'results.json');

/** Results of a fault replace those that were there of it; of faults that are gone nothing is kept. */
export function publishPlanted(found: readonly FoundPlant[]): void {
  const before: FoundPlant[] = existsSync(PLANTED) ? JSON.parse(readFileSync(PLANTED, 'utf8')) : [];
  const all = new Map([...before, ...found].map((one) => [one.name, one]));
  const known = PLANTS.flatMap(({ name }) => all.get(name) ?? []);
  writeFileSync(PLANTED, `${JSON.stringify(known, undefined, 2)}\n`);
}

function renderPlanted(): string {
  if (!existsSync(PLANTED)) return '';
  const found = JSON.parse(readFileSync(PLANTED, 'utf8')) as FoundPlant[];
  const rows = found.map(({ name, what, seed, test, broke = '', seconds }) => {
    const by = seed === undefined ? (test ? `\`${test}\`` : 'not found') : `seed ${seed}: ${broke.split(':', 1)[0]}`;
    return `| \`${name}\` | ${what} | ${by} | ${seconds} |`;
  });
  return `
### Faults that were planted

A check that finds nothing may be blind. So guards are taken away one by one, by a change of the source as it is loaded
(\`test/explore/planted/plants.ts\`), and a test has to find each, or else the explorer: \`npm run explore -- --planted all --seeds 60 --steps 250\`. What neither of them finds
stands here, too: another guard does the same, or the seeds were too few.

| Fault | The guard that is gone | Found by | Seconds |
| --- | --- | --- | ---: |
${rows.join('\n')}
`;
}

/** The section of the page; empty where nothing was published. */
export function renderExplored(): string {
  if (!existsSync(FIGURES)) return '';
  const { seeds, steps, broken, most, troubles, date } = JSON.parse(readFileSync(FIGURES, 'utf8')) as ExploredFigures;
  const sorted = Object.entries(troubles).sort(([, a], [, b]) => b - a);
  const sum = sorted.reduce((total, [, times]) => total + times, 0);
  return `
## Interleavings

The matrix above breaks whole processes at moments that it cannot choose exactly. \`npm run explore\` chooses them: two ingresses, two
workers, sweeps, operators, reconciliation and a CRM run as logical processes in one, on the scripts, the ledger, the queues (BullMQ's own
loops included) and the write engine as they are shipped, with a real Redis and the sandbox. Each command to Redis and each request
to the CRM waits until a scheduler lets it go on, and the scheduler decides by a seed: who is next, whose process dies before or after
it, which answer is lost, late or comes twice, when time passes. Clocks of processes are apart by up to three seconds; leases, locks
and retries run on the world's time. Calls come once, twice, in other bytes, with more, with a contradiction; operators pause,
resume, replay and drop; the configuration changes in between. Then all is repaired, and has to come to rest.

**What has to hold.** After each step that changes something: what was acknowledged is in the ledger; what is on its way has a job, or
the sweep will find it; the counts of what is parked or dead are what the ledger says; an operator's pause is lifted by an operator alone.
At the end: each call is written, or parked for the contradiction that it brought; no call has two logs and no number two people; the person
says what the call says that ended last; no job is left, and the queue stands still only where the state says so.

**${seeds} seeds, ${steps} steps, ${sum} times that something went wrong, ${broken} violations** (${date}; \`npm run explore -- --seeds ${seeds} --steps ${most}\`).
The same seed gives the same log, step by step; \`--twice\` compares them. A seed that fails is shrunk to what it takes and described in words, with the
command that repeats it. A hundred seeds are part of \`npm test\`.

| What went wrong | Times |
| --- | ---: |
${sorted.map(([what, times]) => `| ${what} | ${times} |`).join('\n')}

**What it found**, corrected since:

- Two workers that had two calls of one known person in hand at the same moment both read the person, and the older call could write last. A
  delivery now holds a lease on the numbers and addresses of its person from the look-up until everything is written.
- A call's job that was done again after a crash took the delivery back from a later revision that waited for a person, where the clock of the ingress
  that had received the later one was behind. The delivery stayed on its way, with no job. A rerun now takes nothing that its first run did not.

**What it does not cover.** A process whose event loop stands still for longer than its lease holds, ten seconds, and then goes on, may still write to a
person after a newer call has: no CRM takes a fencing token. Calls that reach one person by different numbers or addresses at the same
moment are not kept apart. HubSpot alone is explored; Salesforce, encryption, packing of the ledger and \`trust: api\` have tests of their own.
${renderPlanted()}`;
}
