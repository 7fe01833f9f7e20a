import { hintOf, nameOmitted, OMISSIONS, type OmissionCode } from '@wrapup/destination';
import type { FieldCount, PathCount } from '@wrapup/mapping';
import { MAX_LINE_CALLS, type OmissionLine } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { count, linkToCall, renderSelect, renderTime } from './parts.ts';

/** What the reader chose by. */
export interface OmissionsQuery {
  connection?: string;
  reason?: OmissionCode;
  /** A duration: lost within it. */
  since?: string;
}

/** How the lines and paths of the mapping of one route fare. */
export interface RouteHealth {
  route: string;
  connection: string;
  fields: FieldCount[];
  /** Paths that no connected call brought. */
  never: PathCount[];
}

export interface OmissionsPageParts {
  lines: OmissionLine[];
  health: RouteHealth[];
  query: OmissionsQuery;
  connections: string[];
}

const SINCE = ['1h', '24h', '7d', '30d', '90d'];

/** What was left out of calls, by line of the mapping; what no call brings; how often each line was filled. */
export function renderOmissionsPage({ lines, health, query, connections }: OmissionsPageParts): Html {
  return html`<h1>Omissions</h1>
<p>Fields that calls said something for and that are not in the CRM: by line of the mapping and by why. When the cause is fixed, replay the calls from here: nothing is created twice, and what a colleague changed stays.</p>
<form class="filter" method="get" action="/omissions" role="search">
${renderSelect('connection', 'Connection', connections, query.connection)}
${renderSelect('reason', 'Reason', Object.keys(OMISSIONS), query.reason)}
${renderSelect('since', 'Lost in the last', SINCE, query.since ?? '7d')}
<button>Filter</button> <a href="/omissions">Clear</a>
</form>
${lines.length === 0 ? html`<p class="empty">Nothing was left out in this time. Lines appear here when a call says something that the CRM does not take; what mappings read and no call brings stands below.</p>` : renderLines(lines, query)}
${renderNever(health)}
${renderFields(health)}`;
}

function renderLines(lines: OmissionLine[], query: OmissionsQuery): Html {
  return html`<div class="wide"><table>
<thead><tr><th>Field</th><th>Why, and what to do</th><th>Calls</th><th><span class="hidden">Actions</span></th></tr></thead>
<tbody>${lines.map((line) => renderLine(line, query))}</tbody></table></div>`;
}

function renderLine(line: OmissionLine, query: OmissionsQuery): Html {
  return html`<tr>
<td class="why"><code>${nameOmitted(line)}</code><br><span class="none">${line.connection}, ${line.at.file}:${line.at.line}</span></td>
<td class="why"><code>${line.code}</code> ${line.reason}<p class="hint">${hintOf(line)}</p>${renderLatest(line)}</td>
<td class="number">${line.calls.toLocaleString('en-US')}</td>
<td class="buttons">${line.open > 0 && renderReplayLine(line, query)}</td>
</tr>`;
}

function renderLatest({ last, latest }: OmissionLine): Html {
  const calls = latest.map(
    ({ source, call_id }) => html`<br><a class="id" href="${linkToCall(source, call_id)}">${call_id}</a>`,
  );
  return html`<p>Last: ${renderTime(last)}${latest.length === 0 ? html` <span class="none">no call lacks it any more</span>` : calls}</p>`;
}

function renderReplayLine({ id, open, more, connection }: OmissionLine, query: OmissionsQuery): Html {
  const these = open === 1 ? 'this call' : `these ${open.toLocaleString('en-US')} calls`;
  return html`<details class="drop replay"><summary>Replay ${these}…</summary>
<form method="post" action="/omissions/${id}/replay">${Object.entries(query).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}
<p>${count(open, 'delivery', 'deliveries')} to ${connection}, with the current mapping and all attempts. Those that lack the field afterwards stay in this line. <code>wrapup omissions replay ${id} --plan</code> lists what would change, and writes nothing.</p>
${more && html`<p>There were more than the ${MAX_LINE_CALLS.toLocaleString('en-US')} that a line keeps: <code>wrapup replay --connection ${connection} --since …</code> takes the older ones.</p>`}
<button class="primary">Replay ${these}</button></form></details>`;
}

function renderNever(health: RouteHealth[]): HtmlPart {
  const never = health.flatMap(({ route, never: paths }) => paths.map((path) => ({ route, ...path })));
  if (never.length === 0) return false;
  return html`<h2>Never seen</h2>
<p>Mappings read these, and no connected call of the last 14 days brought them.</p>
<div class="wide"><table><thead><tr><th>Path</th><th>Line</th><th>Route</th><th>Calls without it</th><th>Meant?</th></tr></thead>
<tbody>${never.map(
    ({ route, path, at, absent, meant }) =>
      html`<tr><td><code>${path}</code></td><td class="none">${at.file}:${at.line}</td><td>${route}</td><td class="number">${absent.toLocaleString('en-US')}</td><td>${meant === undefined ? html`<span class="none">no name that comes is like it</span>` : html`<code>${meant}</code>, which comes`}</td></tr>`,
  )}</tbody></table></div>`;
}

function renderFields(health: RouteHealth[]): HtmlPart {
  const counted = health
    .map(({ route, connection, fields }) => ({
      ...{ route, connection },
      fields: fields.filter(({ filled, absent, lost }) => filled + absent + lost > 0),
    }))
    .filter(({ fields }) => fields.length > 0);
  if (counted.length === 0) return false;
  return html`<h2>How often lines are filled</h2>
<p>Deliveries of the last 14 days. Absent: the call says nothing there. Left out: it does, and the CRM has it not.</p>
${counted.map(
  ({ route, connection, fields }) => html`<details><summary>${route} <span class="to">to ${connection}</span></summary>
<div class="wide"><table><thead><tr><th>Field</th><th>Line</th><th>Filled</th><th>Absent</th><th>Left out</th></tr></thead>
<tbody>${fields.map(
    ({ record, property, at, filled, absent, lost }) =>
      html`<tr><td><code>${record}.${property}</code></td><td class="none">${at.file}:${at.line}</td><td class="number">${filled.toLocaleString('en-US')}</td><td class="number">${absent.toLocaleString('en-US')}</td><td class="number">${lost.toLocaleString('en-US')}</td></tr>`,
  )}</tbody></table></div></details>`,
)}`;
}
