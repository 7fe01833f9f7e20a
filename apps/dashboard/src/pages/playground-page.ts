import type { Call } from '@wrapup/call';
import type { FieldWrite, LeftOut, PersonPlan, Plan, RecordPlan } from '@wrapup/mapping';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { PreviewAnswer } from '../queries/ask-crm.ts';
import { renderChip, renderTime } from './parts.ts';
import { renderPreview } from './preview.ts';

export interface PlaygroundResult {
  /** Why nothing, or not everything, can be shown. */
  problem?: string;
  call?: Call;
  /** Routes that the call would take. */
  chosen?: string[];
  route?: string;
  connection?: string;
  plan?: Plan;
  /** What the CRM said, when it was asked. */
  answer?: PreviewAnswer;
}

export interface PlaygroundPage {
  sources: string[];
  routes: string[];
  payload?: string;
  source?: string;
  route?: string;
  /** Ask the CRM too. */
  ask?: string;
  result?: PlaygroundResult;
}

export function renderPlayground({ sources, routes, payload, source, route, ask, result }: PlaygroundPage): Html {
  return html`<h1>Playground</h1>
<p>Paste what Synthflow sent, and see what the mappings make of it. Nothing is written, stored or logged. Asking the CRM reads there who the caller is and what the records hold now.</p>
<form class="playground" method="post" action="/playground">
<label>Payload (JSON)<textarea name="payload" rows="16" required spellcheck="false">${
    payload &&
    html`
`
  }${payload}</textarea></label>
<p><label>Source<select name="source">${sources.map((name) => option(name, source))}</select></label>
<label>Route<select name="route"><option value="">the first that matches</option>${routes.map((name) => option(name, route))}</select></label>
<label><input type="checkbox" name="ask" value="yes"${ask && html` checked`}> Ask the CRM</label>
<button class="primary">Show the plan</button></p>
</form>
${result?.problem && html`<p class="notice bad" role="alert">${result.problem}</p>`}
${result?.call && renderCallFacts(result.call, result.chosen ?? [])}
${result?.plan && renderPlan(result.plan, result)}`;
}

function option(name: string, chosen: string | undefined): Html {
  return name === chosen ? html`<option selected>${name}</option>` : html`<option>${name}</option>`;
}

function renderCallFacts(call: Call, chosen: string[]): Html {
  const facts: [string, HtmlPart][] = [
    ['Outcome', html`${renderChip(call.outcome)} answered by ${call.answered_by}`],
    ['Status', `${call.status}${call.terminal ? '' : ' (not final)'}`],
    ['End reason', call.end_reason],
    ['Direction', call.direction],
    ['Lead', [call.lead.name, call.lead.phone ?? call.lead.phone_raw, call.lead.email].filter(Boolean).join(', ')],
    ['Started', call.started_at && renderTime(Date.parse(call.started_at))],
    ['Duration', call.duration === undefined ? undefined : `${call.duration} s`],
    ['Routes it takes', chosen.length > 0 ? chosen.join(', ') : 'none matches'],
  ];
  const variables = Object.entries(call.vars);
  return html`<h2>The call</h2>
<dl class="facts">${facts.map(([name, value]) => value !== undefined && value !== '' && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${
  variables.length > 0 &&
  html`<h3>Variables</h3><div class="wide"><table><thead><tr><th>Path</th><th>Value</th></tr></thead><tbody>${variables.map(
    ([name, value]) => html`<tr><td><code>vars.${name}</code></td><td class="value">${show(value)}</td></tr>`,
  )}</tbody></table></div>`
}
${call.notes.length > 0 && html`<h3>Notes</h3><ul>${call.notes.map(({ path, message }) => html`<li><code>${path}</code> ${message}</li>`)}</ul>`}`;
}

function renderPlan(plan: Plan, { route, connection, answer }: PlaygroundResult): Html {
  return html`<h2>The plan <span class="to">of route ${route} to ${connection}, mapping ${plan.mapping.name}</span></h2>
${answer && 'failure' in answer && renderFailure(answer.failure)}
${answer && 'preview' in answer ? renderPreview(answer.preview, plan) : renderOffline(plan)}`;
}

function renderFailure({ code, message, hint }: { code: string; message: string; hint: string | undefined }): Html {
  return html`<p class="notice bad" role="alert">The CRM could not be asked: ${message} <code>${code}</code>${hint && html`<br>${hint}`}</p>`;
}

/** The mapping alone: whom the CRM knows decides the rest. */
function renderOffline(plan: Plan): Html {
  return html`${plan.person && renderPerson(plan.person)}
${plan.records.map(renderRecordPlan)}
${plan.needs.length > 0 && html`<p>Read from the matched person first: ${plan.needs.join(', ')}.</p>`}
${plan.left_out.length > 0 && renderLeftOut(plan.left_out)}`;
}

function renderPerson(person: PersonPlan): Html {
  const steps = person.match
    .map(({ by, value, said }) => `${by} ${value}${said ? ' (only said)' : ''}`)
    .join(', then ');
  return html`<section class="delivery-box"><h3>Person</h3>
<p>${steps ? `Looked for by ${steps}.` : 'There is nothing to look for a person by.'} Not found: ${person.unmatched}${
    person.unmatched === 'create' && (person.key ? `, as ${person.create_as}` : ', but there is no key to create it by')
  }. Found several: ${person.ambiguous}.</p>
${renderFields(person.fields)}</section>`;
}

function renderRecordPlan(record: RecordPlan): Html {
  return html`<section class="delivery-box"><h3>${record.name} <span class="to">${record.object}, key ${record.key}</span></h3>
${renderFields(record.fields)}</section>`;
}

function renderFields(fields: FieldWrite[]): Html {
  if (fields.length === 0) return html`<p class="empty">No fields.</p>`;
  return html`<div class="wide"><table><thead><tr><th>Field</th><th>Value</th><th>Written</th><th>Mapping line</th></tr></thead><tbody>${fields.map(
    ({ name, value, write, at }) =>
      html`<tr><td><code>${name}</code></td><td class="value">${value === null ? html`<i>cleared</i>` : show(value)}</td><td>${write}</td><td class="none">${at.file}:${at.line}</td></tr>`,
  )}</tbody></table></div>`;
}

function renderLeftOut(fields: LeftOut[]): Html {
  return html`<section class="delivery-box"><h3>Left out</h3><div class="wide"><table><thead><tr><th>Field</th><th>Why</th><th>Mapping line</th></tr></thead><tbody>${fields.map(
    ({ field, reason, at }) =>
      html`<tr><td><code>${field}</code></td><td>${reason}</td><td class="none">${at.file}:${at.line}</td></tr>`,
  )}</tbody></table></div></section>`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
