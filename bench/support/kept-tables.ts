/** Tables of what a great many calls keep in Redis, and of what it takes to look at them. */
import { KEPT_DAYS, type KeptFigures } from '../parts/memory.ts';
import type { PagesFigures } from '../parts/pages.ts';
import type { ParkedFigures } from '../parts/parked.ts';
import { format } from './chart.ts';

/** Gigabytes of a million calls a day, by the bytes of one and the days that they are kept. */
function gigabytes(bytes: number, days: number): number {
  return (bytes * days) / 1_000;
}

export function keptTables(figures: readonly KeptFigures[]): string {
  const { delivered, unpacked, ledger } = KEPT_DAYS;
  const rows = figures.map(({ calls, body, payload, entry, packed }) => {
    const sums = [
      gigabytes(payload, delivered),
      gigabytes(entry, unpacked) + gigabytes(packed, ledger - unpacked),
    ] as const;
    const total = `${format(sums[0] + sums[1])} GB`;
    return `| ${format(body / 1000)} kB | ${calls.toLocaleString('en')} | ${format(payload)} | ${format(entry)} | ${format(packed)} | ${format(sums[0])} + ${format(sums[1])} = ${total} | ${format(gigabytes(payload, 1))} GB |`;
  });
  const more = figures.map(
    ({ body, people, written }) =>
      `| ${format(body / 1000)} kB | ${format(people)} | ${format(gigabytes(people, ledger))} GB | ${format(written)} | ${format(gigabytes(written, ledger))} GB |`,
  );
  return `| body | calls | payload, bytes | entry, bytes | packed, bytes | a million calls a day: payloads + ledger | each day of \`retention.delivered\` |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

Beside that, as long as the ledger:

| body | index of people, bytes a call | a million calls a day | digests of written values, bytes a call | a million calls a day |
| --- | ---: | ---: | ---: | ---: |
${more.join('\n')}
`;
}

export function parkedTables({ memory, times, rates, longest_command }: ParkedFigures): string {
  return `| | first ms | median ms | worst ms |
| --- | ---: | ---: | ---: |
${times.map(({ what, first, median, worst }) => `| ${what} | ${[first, median, worst].map(format).join(' | ')} |`).join('\n')}

Redis was at one command for ${format(longest_command)} ms at most. A search in what reasons say stops early on a page, and says so.

| | Deliveries | A second |
| --- | ---: | ---: |
${rates.map(({ what, items, perSecond }) => `| ${what} | ${items.toLocaleString('en')} | ${format(perSecond)} |`).join('\n')}

Bytes of a parked delivery in Redis, without its payload: **${format(memory.all)}**, of which its entry in the index ${format(memory.index)} and its job for Bull Board ${format(memory.job)}.
`;
}

export function pagesTable(pages: PagesFigures['pages']): string {
  const rows = pages.map(
    ({ page, first, median, worst, page_kb, view_kb }) =>
      `| ${page} | ${[first, median, worst, page_kb, view_kb].map(format).join(' | ')} |`,
  );
  return `| Page | first ms | median ms | worst ms | kB | kB with all that it loads |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
`;
}
