/** The panels of the dashboard as one SVG, for light and dark pages alike. */
import type { DrawnPanel } from './dashboard.ts';
import type { Happening } from './fault-run.ts';

const [COLUMN, ROW, GAP] = [50, 26, 8];
const WIDTH = 24 * COLUMN;
const HEAD = 46;
const COLOURS = ['#3b82f6', '#f59e0b', '#10b981', '#ef4444', '#8b5cf6', '#06b6d4', '#d946ef', '#84cc16'];
const STATES: Record<string, string> = { green: '#16a34a', orange: '#ea8a00', red: '#dc2626' };
/** Names of series below a panel, at most: two lines of them. */
const MAX_NAMES = 6;

interface Span {
  from: number;
  to: number;
}
interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export function drawDashboard(panels: readonly DrawnPanel[], span: Span, happened: readonly Happening[]): string {
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * ROW + HEAD + GAP;
  const parts = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const box = { x: x * COLUMN + GAP / 2, y: y * ROW + HEAD, w: w * COLUMN - GAP, h: h * ROW - GAP };
    return DRAW[panel.type](panel, box, span, happened);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom}" viewBox="0 0 ${WIDTH} ${bottom}" font-family="system-ui, sans-serif" font-size="11" role="img" aria-label="The dashboard of Wrapup during a run with faults">
<style>
.page{fill:#f8fafc}.box{fill:#fff;stroke:#d7dee8}text{fill:#334155}.title{font-weight:600;fill:#0f172a}.none{fill:#94a3b8}
.grid{stroke:#e5eaf1}.event{stroke:#94a3b8;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){.page{fill:#0b1220}.box{fill:#111a2c;stroke:#263247}text{fill:#b6c2d4}.title{fill:#f1f5f9}.none{fill:#64748b}.grid{stroke:#1e293b}.event{stroke:#64748b}}
</style>
<rect class="page" width="${WIDTH}" height="${bottom}"/>
<text class="title" x="${GAP}" y="26" font-size="17">Wrapup, ${Math.round((span.to - span.from) / 60)} minutes with faults</text>
${parts.join('\n')}
</svg>
`;
}

type Draw = (panel: DrawnPanel, box: Box, span: Span, happened: readonly Happening[]) => string;

const DRAW: Record<DrawnPanel['type'], Draw> = {
  row: ({ title }, { x, y, h }) =>
    `<text class="title" x="${x}" y="${y + h}" font-size="13">${escapeText(title)}</text>`,
  stat: drawStat,
  timeseries: drawLines,
  'state-timeline': drawStates,
  table: drawTable,
};

const frame = ({ title }: DrawnPanel, { x, y, w, h }: Box) =>
  `<rect class="box" x="${x}" y="${y}" width="${w}" height="${h}" rx="4"/><text class="title" x="${x + 8}" y="${y + 16}">${escapeText(title)}</text>`;

/** The highest value of the run: at its end all is well again. */
function drawStat(panel: DrawnPanel, box: Box): string {
  const values = panel.series.flatMap(({ points }) => points.map(([, value]) => value));
  const { unit = 'short', thresholds } = panel.fieldConfig?.defaults ?? {};
  if (values.length === 0) return `${frame(panel, box)}${nothing(box)}`;
  const most = Math.max(...values);
  const step = thresholds?.steps.findLast(({ value }) => value === null || most >= value);
  const fill = STATES[step?.color ?? 'green'];
  return `${frame(panel, box)}<text x="${box.x + box.w / 2}" y="${box.y + box.h / 2 + 12}" font-size="24" font-weight="600" text-anchor="middle" style="fill:${fill}">${show(most, unit)}</text><text class="none" x="${box.x + box.w / 2}" y="${box.y + box.h - 8}" text-anchor="middle" font-size="10">at most</text>`;
}

function drawLines(panel: DrawnPanel, box: Box, span: Span, happened: readonly Happening[]): string {
  const series = panel.series.filter(({ points }) => points.length > 0);
  if (series.length === 0) return `${frame(panel, box)}${nothing(box)}`;
  const { unit = 'short', custom } = panel.fieldConfig?.defaults ?? {};
  const isStacked = custom?.stacking?.mode === 'normal';
  const plot = { x: box.x + 50, y: box.y + 26, w: box.w - 60, h: box.h - 76 };
  const below = new Map<number, number>();
  const lines = series.map(({ name, points }) => ({
    name,
    points: points.map(([at, value]) => {
      const base = isStacked ? (below.get(at) ?? 0) : 0;
      below.set(at, Math.max(below.get(at) ?? 0, base + value));
      return [at, base + value] as const;
    }),
  }));
  const most = niceMost(Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const left = (at: number) => Math.round(plot.x + ((at - span.from) / (span.to - span.from)) * plot.w);
  const top = (value: number) => Math.round(plot.y + plot.h - (Math.max(0, value) / most) * plot.h);
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<path class="grid" d="M${plot.x} ${top(most * part)}h${plot.w}"/><text class="none" x="${plot.x - 6}" y="${top(most * part) + 4}" text-anchor="end">${show(most * part, unit)}</text>`,
  );
  const events = happened.map(({ at }) => `M${left(span.from + at)} ${plot.y}v${plot.h}`).join('');
  const paths = lines.map(({ points }, index) => {
    let before: number | undefined;
    const d = points.map(([at, value]) => {
      const command = before !== undefined && at - before < 15 ? 'L' : 'M';
      before = at;
      return `${command}${left(at)} ${top(value)}`;
    });
    return `<path fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.3" d="${d.join('')}"/>`;
  });
  const names = lines.slice(0, MAX_NAMES).map(({ name }, index) => {
    const [x, y] = [box.x + 10 + (index % 3) * ((box.w - 12) / 3), box.y + box.h - 24 + Math.floor(index / 3) * 14];
    const longest = Math.floor(box.w / 3 / 5.8) - 3;
    const text = name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
    return `<rect x="${x}" y="${y - 7}" width="8" height="3" fill="${COLOURS[index % COLOURS.length]}"/><text x="${x + 12}" y="${y}" font-size="10">${escapeText(text)}</text>`;
  });
  return [frame(panel, box), ...grid, `<path class="event" d="${events}"/>`, ...paths, ...names].join('');
}

function drawStates(panel: DrawnPanel, box: Box, span: Span): string {
  const left = (at: number) => Math.round(box.x + 60 + ((at - span.from) / (span.to - span.from)) * (box.w - 70));
  const step = 2;
  const rows = panel.series.map(({ name, points }, index) => {
    const y = box.y + 34 + index * 30;
    const bars = points.map(
      ([at, value]) =>
        `<rect x="${left(at)}" y="${y}" width="${left(at + step) - left(at) + 1}" height="20" fill="${STATES[value > 0 ? 'red' : 'green']}"/>`,
    );
    return `<text x="${box.x + 8}" y="${y + 14}">${escapeText(name)}</text>${bars.join('')}`;
  });
  return frame(panel, box) + (rows.length > 0 ? rows.join('') : nothing(box));
}

function drawTable(panel: DrawnPanel, box: Box): string {
  const lines = [...new Set(panel.series.map(({ name }) => name.replace('__name__=wrapup_build_info ', '')))];
  const rows = lines
    .slice(0, 5)
    .map((line, index) => `<text x="${box.x + 8}" y="${box.y + 36 + index * 16}">${escapeText(line)}</text>`);
  return frame(panel, box) + rows.join('');
}

const nothing = ({ x, y, w, h }: Box) =>
  `<text class="none" x="${x + w / 2}" y="${y + h / 2 + 8}" text-anchor="middle">nothing</text>`;

/** One of 1, 2, 5 times a power of ten, at or above. */
function niceMost(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((times) => times * power).find((nice) => nice >= value) ?? value;
}

function show(value: number, unit: string): string {
  const round = (number: number) => number.toLocaleString('en', { maximumSignificantDigits: 3 });
  if (unit === 'percentunit') return `${round(value * 100)} %`;
  if (unit === 'bytes')
    return value >= 1e6 ? `${round(value / 1e6)} MB` : value >= 1e3 ? `${round(value / 1e3)} kB` : `${round(value)} B`;
  if (unit !== 's') return round(value);
  if (value >= 7200) return `${round(value / 3600)} h`;
  return value >= 1 || value === 0 ? `${round(value)} s` : `${round(value * 1000)} ms`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
