/** Lines over time as SVG, for light and dark pages alike: small pictures one below the other. */
import type { Series } from './judge.ts';
import type { Happened } from './run-soak.ts';
import type { Point } from './slope.ts';

export interface SoakSpan {
  /** Seconds: what is not judged, and the whole. */
  warm: number;
  ran: number;
  faults: readonly Happened[];
}

const WIDTH = 720;
const HEIGHT = 90;
const LEFT = 60;
const ROW = HEIGHT + 44;
const COLOURS = ['#2563eb', '#d97706', '#059669'];

/** What is drawn together, by the end of the name. */
const ROWS = [
  { title: 'Heap after a collection, MB', ends: ': heap after a collection' },
  { title: 'Resident memory, MB', ends: ': resident memory' },
  { title: 'File descriptors', ends: ': file descriptors' },
  { title: 'Redis: kB of keys by call in the ledger', ends: 'bytes of keys by call in the ledger' },
  { title: 'Webhook to call log, middle, ms', ends: 'Webhook to call log, middle' },
];

export function drawSoak(series: readonly Series[], span: SoakSpan): string {
  const rows = ROWS.map(({ title, ends }, n) =>
    drawRow(
      title,
      series.filter(({ name }) => name.endsWith(ends)),
      ends,
      { y: 40 + n * ROW, span },
    ),
  );
  const height = 40 + ROWS.length * ROW;
  const title = `A soak of ${Math.round(span.ran / 60)} minutes`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${title}">
<style>text { fill: #111827 } .grid { stroke: #9ca3af; stroke-width: 0.5 } .warm { fill: #9ca3af; opacity: 0.2 } .fault { stroke: #dc2626; stroke-width: 1; opacity: 0.35 } @media (prefers-color-scheme: dark) { text { fill: #e5e7eb } }</style>
<text x="0" y="16" font-size="15" font-weight="700">${title}</text>
<text x="${WIDTH}" y="16" text-anchor="end">grey: not judged; red: a fault strikes</text>
${rows.join('\n')}
</svg>
`;
}

function drawRow(title: string, lines: readonly Series[], ends: string, at: { y: number; span: SoakSpan }): string {
  const { y, span } = at;
  const all = lines.flatMap(({ points }) => points.map(([, value]) => value));
  // From zero, so that a wave of a per cent does not look like a mountain; outliers are cut off.
  const most = (quantile(all, 0.98) || 1) * 1.15;
  const hours = span.ran / 3600;
  const place = ([hour, value]: Point) =>
    [LEFT + ((WIDTH - LEFT) * hour) / hours, y + HEIGHT - HEIGHT * Math.min(1, value / most)].map((one) =>
      one.toFixed(1),
    );
  const marks = span.faults.map(({ from }) => {
    const [x] = place([from / 3600, 0]);
    return `<line class="fault" x1="${x}" x2="${x}" y1="${y + HEIGHT}" y2="${y + HEIGHT - 6}"/>`;
  });
  const names = lines.map(({ name }, n) => {
    const shown = lines.length > 1 && name.slice(0, -ends.length);
    return shown ? `<tspan fill="${COLOURS[n % COLOURS.length]}" dx="10">${shown}</tspan>` : '';
  });
  return [
    `<text x="0" y="${y - 6}" font-weight="600">${title}${names.join('')}</text>`,
    `<rect class="warm" x="${LEFT}" y="${y}" width="${(((WIDTH - LEFT) * span.warm) / span.ran).toFixed(1)}" height="${HEIGHT}"/>`,
    ...[0, most].map((value) => {
      const [, line] = place([0, value]);
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${line}" y2="${line}"/><text x="${LEFT - 6}" y="${Number(line) + 4}" text-anchor="end">${Number(value.toPrecision(2))}</text>`;
    }),
    ...marks,
    ...lines.map(({ points }, n) => {
      const path = points.map((point) => place(point).join(',')).join(' ');
      return `<polyline fill="none" stroke="${COLOURS[n % COLOURS.length]}" stroke-width="1.2" points="${path}"/>`;
    }),
    `<text x="${LEFT}" y="${y + HEIGHT + 16}">0</text><text x="${WIDTH}" y="${y + HEIGHT + 16}" text-anchor="end">${Math.round(span.ran / 60)} min</text>`,
  ].join('\n');
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
