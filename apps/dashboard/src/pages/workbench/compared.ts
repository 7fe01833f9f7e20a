/** The plan of a call record by record, with what is different as the mapping is edited. */
import { type FieldWrite, plainText } from '@wrapup/mapping';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { ComparedLine, ComparedRecord, LineDifference } from '../../workbench/diff-plans.ts';
import { renderChip } from '../parts.ts';

const LABELS: Record<LineDifference, string> = { same: 'unchanged', new: 'new', gone: 'gone', changed: 'changed' };
/** Colours of chips that mean about the same. */
const CHIPS: Record<LineDifference, string> = { same: '', new: 'written', gone: 'dead', changed: 'queued' };

/**
 * @param isCompared there is a plan of the mapping in force
 * @param richText fields that the CRM shows as rich text, as `object.property`: they stand here as people read them there
 */
export function renderCompared(
  { name, object, difference, lines }: ComparedRecord,
  isCompared: boolean,
  richText: ReadonlySet<string> = new Set(),
): Html {
  const isRich = (line: ComparedLine) => !line.isFact && richText.has(`${object}.${line.name}`);
  return html`<section class="delivery-box difference-${difference}"><h4>${isCompared && html`${renderChip(CHIPS[difference], LABELS[difference])} `}${name} <span class="to">${object}</span></h4>
${
  lines.length === 0
    ? html`<p class="empty">No fields.</p>`
    : html`<div class="wide"><table><thead><tr><th scope="col">Field</th>${isCompared && html`<th scope="col">In force</th>`}<th scope="col">${isCompared ? 'As edited' : 'Value'}</th><th scope="col">Written</th><th scope="col">Mapping line</th></tr></thead>
<tbody>${lines.map((line) => renderLine(line, isCompared, isRich(line)))}</tbody></table></div>`
}</section>`;
}

function renderLine(
  { name, isFact, difference, before, after }: ComparedLine,
  isCompared: boolean,
  isRich: boolean,
): Html {
  const line = after ?? before;
  const isOther = isCompared && difference !== 'same';
  const written =
    isFact || !line
      ? ''
      : after && before && after.write !== before.write
        ? html`${before.write}, now ${after.write}`
        : line.write;
  return html`<tr${isOther && html` class="difference ${difference}"`}><td>${isFact ? name : html`<code>${name}</code>`}${isOther && html` ${renderChip(CHIPS[difference], LABELS[difference])}`}</td>
${isCompared && html`<td class="value">${renderValue(before, isRich)}</td>`}<td class="value">${renderValue(after, isRich)}</td><td>${written}</td><td class="none">${after && after.at.line > 0 && `${after.at.file}:${after.at.line}`}</td></tr>`;
}

/** Text, whatever it holds: of rich text what is left without its markup, with its line breaks. */
function renderValue(line: FieldWrite | undefined, isRich: boolean): HtmlPart {
  if (!line) return html`<i>nothing</i>`;
  if (line.value === null) return html`<i>cleared</i>`;
  if (typeof line.value !== 'string') return JSON.stringify(line.value);
  return isRich ? plainText(line.value) : line.value;
}
