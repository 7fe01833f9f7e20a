/** Bars as SVG, for light and dark pages alike. */
export interface Group {
  title: string;
  /** What the figures count, for the axis. */
  unit: string;
  bars: { name: string; value: number }[];
}

const WIDTH = 720;
const BAR = 22;
const LABEL = 190;
const COLOURS = ['#2563eb', '#9ca3af', '#d97706'];

export function drawChart(title: string, groups: readonly Group[]): string {
  let y = 46;
  const parts: string[] = [];
  for (const { title: heading, unit, bars } of groups) {
    const most = Math.max(...bars.map(({ value }) => value));
    parts.push(`<text x="0" y="${y}" font-weight="600">${escapeText(heading)} (${escapeText(unit)})</text>`);
    y += 10;
    bars.forEach(({ name, value }, index) => {
      const width = Math.max(1, ((WIDTH - LABEL - 90) * value) / most);
      parts.push(
        `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escapeText(name)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 5}" rx="2" fill="${COLOURS[index % COLOURS.length]}"/>`,
        `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 14}">${format(value)}</text>`,
      );
      y += BAR;
    });
    y += 26;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${escapeText(title)}">
<style>text { fill: #111827 } @media (prefers-color-scheme: dark) { text { fill: #e5e7eb } }</style>
<text x="0" y="16" font-size="16" font-weight="700">${escapeText(title)}</text>
${parts.join('\n')}
</svg>
`;
}

export function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) >= 10 ? 1 : 2 });
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
