/** Stacked bars as SVG: readable and clickable without a script, with the same numbers as a table. */

import { spoken } from '@wrapup/call';
import type { Series } from '@wrapup/queue';
import { type HtmlPart, html } from '@wrapup/telemetry';
import { scaleBand, scaleLinear } from 'd3-scale';
import { stack } from 'd3-shape';

export interface ChartParts {
  title: string;
  /** What a step is, as the head of the table's first column: `Day`. */
  step: string;
  /** Names of the steps, as the axis and the table show them. */
  steps: { label: string; long: string }[];
  series: readonly Series[];
  /** Under which the colour of a series stands in the style sheet: `outcome`, `result`, `state`. */
  kind: string;
  /** The calls behind a number; of all steps or of all series where there is none. */
  link(step: number | undefined, series: string | undefined): string;
}

/** In units of the picture, which is as wide as its column. */
const [WIDTH, HEIGHT] = [600, 160];
/** Series that have a colour of their own; the others are one. */
const MOST_SERIES = 9;
const REST = 'others';
/** Labels on the axis, at most: each needs the width of a short date on a phone. */
const MOST_LABELS = 8;

/** @returns nothing where there is nothing to show */
export function renderChart({ title, step: stepName, steps, series: all, kind, link }: ChartParts): HtmlPart {
  const series = foldRest(all);
  if (series.length === 0)
    return html`<section class="chart"><h2>${title}</h2><p class="empty">None in this time.</p></section>`;
  const rows = steps.map((_, step) => new Map(series.map(({ name, counts }) => [name, counts[step] ?? 0])));
  const highest = Math.max(1, ...rows.map((row) => [...row.values()].reduce((sum, count) => sum + count, 0)));
  const y = scaleLinear([0, highest], [HEIGHT, 0]).nice(4);
  const x = scaleBand(steps.keys(), [0, WIDTH]).padding(0.15);
  const layers = stack<Map<string, number>, string>()
    .keys(series.map(({ name }) => name))
    .value((row, name) => row.get(name) ?? 0)(rows);
  const bars = layers.flatMap((layer, place) => {
    const { name } = series[place] as Series;
    return layer.map(([low, high], step) => {
      if (high === low) return false;
      const label = `${steps[step]?.long}: ${name} ${count(high - low)}`;
      const bar = html`<rect class="${colourOf(kind, name, place)}" x="${round(x(step) ?? 0)}" y="${round(y(high))}" width="${round(x.bandwidth())}" height="${round(y(low) - y(high))}"><title>${label}</title></rect>`;
      return name === REST ? bar : html`<a href="${link(step, name)}" tabindex="-1">${bar}</a>`;
    });
  });
  const ticks = y.ticks(3).filter((tick) => Number.isInteger(tick));
  const every = Math.ceil(steps.length / MOST_LABELS);
  return html`<section class="chart"><h2>${title}</h2>
<ul class="legend">${series.map(({ name, total }, place) => {
    const text = html`<svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${colourOf(kind, name, place)}" width="10" height="10" rx="2"></rect></svg>${spoken(name)} <b>${count(total)}</b>`;
    return name === REST ? html`<li>${text}</li>` : html`<li><a href="${link(undefined, name)}">${text}</a></li>`;
  })}</ul>
<div class="plot" aria-hidden="true"><ol class="ticks">${ticks.toReversed().map((tick) => html`<li>${count(tick)}</li>`)}</ol>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${ticks.map((tick) => html`<line class="rule" x1="0" x2="${WIDTH}" y1="${round(y(tick))}" y2="${round(y(tick))}"></line>`)}${bars}</svg>
<ol class="axis">${steps.map(({ label }, step) => html`<li>${step % every === 0 && label}</li>`)}</ol></div>
<details class="numbers"><summary>As a table</summary><div class="wide scrolls"><table>
<thead><tr><th scope="col">${stepName}</th>${series.map(({ name }) => html`<th scope="col">${spoken(name)}</th>`)}</tr></thead>
<tbody>${steps.map(
    ({ long }, step) =>
      html`<tr><th scope="row">${long}</th>${series.map(({ name, counts }) => {
        const number = counts[step] ?? 0;
        return html`<td class="number">${number > 0 && name !== REST ? html`<a href="${link(step, name)}">${count(number)}</a>` : count(number)}</td>`;
      })}</tr>`,
  )}</tbody></table></div></details></section>`;
}

const count = (number: number) => number.toLocaleString('en-US');
const round = (number: number) => Math.round(number * 10) / 10;

/** Known names have their colour; others that of their place. */
function colourOf(kind: string, name: string, place: number): string {
  return `bar ${kind} ${/^[a-z_]+$/.test(name) ? name : ''} place-${place}`;
}

function foldRest(series: readonly Series[]): Series[] {
  if (series.length <= MOST_SERIES) return [...series];
  const [shown, rest] = [series.slice(0, MOST_SERIES - 1), series.slice(MOST_SERIES - 1)];
  const counts = (rest[0]?.counts ?? []).map((_, step) => rest.reduce((sum, one) => sum + (one.counts[step] ?? 0), 0));
  return [...shown, { name: REST, counts, total: rest.reduce((sum, { total }) => sum + total, 0) }];
}
