/** What a call would change in the CRM, as `wrapup plan` tells it: the person, and field by field old and new. */

import {
  DECISION_LABELS,
  type FieldChange,
  type PersonRecord,
  type Preview,
  SAID_LABEL,
  type SinceWritten,
} from '@wrapup/destination';
import type { Plan, Value } from '@wrapup/mapping';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { renderLeftOut } from './left-out.ts';
import { count, renderChip, renderPersonRecord } from './parts.ts';

/** What of a plan is shown beside a preview of it. */
type Previewed = Pick<Plan, 'person' | 'records'>;

/** @param isWritten the call has been written: what became of it since is shown, too */
export function renderPreview(preview: Preview, plan: Previewed, isWritten = false): Html {
  const { records, left_out, requests } = preview;
  return html`${plan.person && renderPerson(preview)}
${records.map((record) => renderRecord(record, plan, preview.decision, isWritten))}
${left_out.length > 0 && renderLeftOut(left_out, 'h3')}
<p>It would cost ${count(requests, 'request')}. Nothing was written.</p>`;
}

function renderPerson({ person: answer, decision, records, hint }: Preview): Html {
  const used = records.find(({ name }) => name === 'person')?.id;
  const all = answer.found === 'one' ? [answer.person] : answer.found === 'many' ? answer.candidates : [];
  const how = answer.found === 'none' ? 'No person is found' : `${count(all.length, 'record')} found by ${answer.by}`;
  return html`<section class="delivery-box"><h3>Person</h3>
<p>${how}: ${answer.found === 'one' && answer.said ? SAID_LABEL : DECISION_LABELS[decision]}.</p>
${all.length > 0 && html`<ul>${all.map((one) => renderCandidate(one, used))}</ul>`}
${hint && html`<p class="next">${hint}</p>`}</section>`;
}

function renderCandidate(person: PersonRecord, used: string | undefined): Html {
  const chip = used === undefined ? 'candidate' : person.id === used ? 'chosen' : 'not taken';
  return html`<li>${renderChip(person.id === used ? 'written' : 'dropped', chip)} ${renderPersonRecord(person)}</li>`;
}

function renderRecord(
  record: Preview['records'][number],
  plan: Previewed,
  decision: Preview['decision'],
  isWritten: boolean,
): Html {
  const { name, object, id, did, fields } = record;
  const links = decision === 'log_only' ? [] : (plan.records.find((one) => one.name === name)?.associate ?? []);
  return html`<section class="delivery-box"><h3>${did} ${name} <span class="to">${object}${id && ` ${id}`}${links.length > 0 && `, linked to ${links.join(', ')}`}</span></h3>
${fields.length === 0 ? html`<p class="empty">No fields.</p>` : renderChanges(fields, did === 'create', isWritten)}</section>`;
}

const SINCE: Record<SinceWritten, string> = {
  unchanged: 'unchanged since Wrapup wrote it',
  ours: 'another call of Wrapup wrote it since',
  changed: 'a colleague changed it since',
  same: 'has that value; who wrote it is not known',
  unknown: 'not known to be written by Wrapup',
};

function renderChanges(fields: FieldChange[], isNew: boolean, isWritten: boolean): Html {
  const hasSince = isWritten && !isNew;
  return html`<div class="wide"><table><thead><tr><th>Field</th>${!isNew && html`<th>Now</th>`}${hasSince ? html`<th>The call says</th><th>Since then</th><th>A replay</th>` : html`<th>New</th><th>Written</th>`}<th>Mapping line</th></tr></thead>
<tbody>${fields.map(
    ({
      field,
      label,
      from,
      to,
      from_shown = from,
      to_shown = to,
      write,
      applies,
      why,
      since,
      at,
    }) => html`<tr${!applies && html` class="stays"`}><td>${label && html`${label}<br>`}<code>${field}</code></td>
${!isNew && html`<td class="value">${show(from_shown)}</td>`}
${
  hasSince
    ? html`<td class="value">${show(to_shown)}</td><td>${since ? SINCE[since] : html`<span class="none">empty</span>`}</td>`
    : html`<td class="value">${applies ? show(to_shown) : isSame(from, to) ? html`<i>as it is</i>` : html`<i>stays</i>, not ${show(to_shown)}`}</td>`
}
<td>${hasSince && html`${applies && !isSame(from, to) ? 'writes it' : 'leaves it'}<br>`}${write}${why && !isSame(from, to) && html`<br><span class="ago">${why}</span>`}</td><td class="none">${at.file}:${at.line}</td></tr>`,
  )}</tbody></table></div>`;
}

const isSame = (from: Value | undefined, to: Value) => String(from ?? '') === String(to ?? '');

function show(value: Value | undefined): HtmlPart {
  if (value === undefined || value === null || value === '') return html`<i>nothing</i>`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
