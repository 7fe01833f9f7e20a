/** The plan of a call record by record, with what is different as the mapping is edited. */
import type { FieldWrite, LeftOut } from '@wrapup/mapping';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { ComparedLine, ComparedRecord, LineDifference } from '../../workbench/diff-plans.ts';
import { renderChip } from '../parts.ts';

const LABELS: Record<LineDifference, string> = { same: 'unchanged', new: 'new', gone: 'gone', changed: 'changed' };
/** Colours of chips that mean about the same. */
const CHIPS: Record<LineDifference, string> = { same: '', new: 'written', gone: 'dead', changed: 'queued' };

/** @param isCompared there is a plan of the mapping in force */
export function renderCompared({ name, object, difference, lines }: ComparedRecord, isCompared: boolean): Html {
  return html`<section class="delivery-box difference-${difference}"><h4>${isCompared && html`${renderChip(CHIPS[difference], LABELS[difference])} `}${name} <span class="to">${object}</span></h4>
${
  lines.length === 0
    ? html`<p class="empty">No fields.</p>`
    : html`<div class="wide"><table><thead><tr><th scope="col">Field</th>${isCompared && html`<th scope="col">In force</th>`}<th scope="col">${isCompared ? 'As edited' : 'Value'}</th><th scope="col">Written</th><th scope="col">Mapping line</th></tr></thead>
<tbody>${lines.map((line) => renderLine(line, isCompared))}</tbody></table></div>`
}</section>`;
}

function renderLine({ name, isFact, difference, before, after }: ComparedLine, isCompared: boolean): Html {
  const line = after ?? before;
  const isOther = isCompared && difference !== 'same';
  const written =
    isFact || !line
      ? ''
      : after && before && after.write !== before.write
        ? html`${before.write}, now ${after.write}`
        : line.write;
  return html`<tr${isOther && html` class="difference ${difference}"`}><td>${isFact ? name : html`<code>${name}</code>`}${isOther && html` ${renderChip(CHIPS[difference], LABELS[difference])}`}</td>
${isCompared && html`<td class="value">${renderValue(before)}</td>`}<td class="value">${renderValue(after)}</td><td>${written}</td><td class="none">${after && after.at.line > 0 && `${after.at.file}:${after.at.line}`}</td></tr>`;
}

function renderValue(line: FieldWrite | undefined): HtmlPart {
  if (!line) return html`<i>nothing</i>`;
  if (line.value === null) return html`<i>cleared</i>`;
  return typeof line.value === 'string' ? line.value : JSON.stringify(line.value);
}

export function renderLeftOut(fields: readonly LeftOut[]): Html {
  return html`<section class="delivery-box"><h4>Left out</h4><div class="wide"><table><thead><tr><th scope="col">Field</th><th scope="col">Why</th><th scope="col">Mapping line</th></tr></thead><tbody>${fields.map(
    ({ field, reason, at }) =>
      html`<tr><td><code>${field}</code></td><td>${reason}</td><td class="none">${at.file}:${at.line}</td></tr>`,
  )}</tbody></table></div></section>`;
}
