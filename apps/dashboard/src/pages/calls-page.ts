import { OUTCOMES } from '@wrapup/call';
import { isOmission, nameOmitted } from '@wrapup/destination';
import type { LedgerEntry, SchemaCheckResult } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Overview } from '../queries/overview.ts';
import type { Reconciliation } from '../queries/reconciliations.ts';
import { CALL_STATES, type CallPage, type CallSearch } from '../queries/search-calls.ts';
import { renderReconciliations } from './banners/reconciliations.ts';
import { renderSchemaChecks } from './banners/schema-checks.ts';
import { count, linkToCall, renderChip, renderRecord, renderSelect, renderTime } from './parts.ts';

export interface CallsPage {
  page: CallPage;
  query: CallSearch;
  overview: Overview;
  reconciliations: Reconciliation[];
  schemaChecks: SchemaCheckResult[];
  /** For the filter. */
  sources: string[];
  routes: string[];
  connections: string[];
}

export function renderCalls({ page, query, overview, reconciliations, schemaChecks, ...names }: CallsPage): Html {
  return html`<h1>Calls</h1>
${renderOverview(overview)}
${renderSchemaChecks(schemaChecks)}
${renderReconciliations(reconciliations)}
<form class="filter" method="get" action="/" role="search">
${renderSelect('state', 'State', CALL_STATES, query.state)}
${renderSelect('outcome', 'Outcome', OUTCOMES, query.outcome)}
${renderSelect('route', 'Route', names.routes, query.route)}
${renderSelect('connection', 'Connection', names.connections, query.connection)}
${renderSelect('source', 'Source', names.sources, query.source)}
<label>Left out<select name="omitted"><option value="">any</option>${query.omitted ? html`<option value="1" selected>something</option>` : html`<option value="1">something</option>`}</select></label>
<label>Call id<input name="id" value="${query.id ?? ''}" autocomplete="off" spellcheck="false"></label>
<button>Search</button> <a href="/">Clear</a>
</form>
${renderList(page, isFiltered(query))}
${renderPaging(page, query)}`;
}

function renderOverview({ calls, underWay, parked, dead, day, omitted, partial }: Overview): Html {
  return html`<ul class="tiles">
${tile('/?state=queued', underWay, 'jobs under way', '')}
${tile('/parked', parked, 'parked', parked > 0 ? 'parked' : '')}
${tile('/dead', dead, 'dead', dead > 0 ? 'dead' : '')}
${tile('/', calls, 'calls in the ledger', '')}
</ul>
<p class="day">Last 24 hours${partial && ' (the newest only)'}: ${
    day === undefined
      ? 'being counted'
      : Object.keys(day).length === 0
        ? 'no calls'
        : CALL_STATES.filter((state) => day[state]).map(
            (state) => html`<a href="/?state=${state}">${renderChip(state, `${state} ${day[state]}`)}</a> `,
          )
  }${omitted > 0 && html` <a href="/?omitted=1">${renderChip('omitted', `${count(omitted, 'call')} lost a field`)}</a>`}</p>`;
}

function tile(href: string, number: number, name: string, kind: string): Html {
  return html`<li><a href="${href}" class="${kind}"><b>${number.toLocaleString('en-US')}</b> ${name}</a></li>`;
}

function renderList({ entries, cut }: CallPage, filtered: boolean): HtmlPart {
  if (entries.length === 0) {
    if (cut) return html`<p class="empty">Nothing found so far. Search on below.</p>`;
    return html`<p class="empty">${filtered ? 'No call matches.' : 'No calls yet. They appear here as soon as the first webhook comes in.'}</p>`;
  }
  return html`<div class="wide"><table>
<thead><tr><th>Received</th><th>Call</th><th>Source</th><th>Outcome</th><th>Deliveries</th></tr></thead>
<tbody>${entries.map(renderRow)}</tbody></table></div>`;
}

function renderRow(entry: LedgerEntry): Html {
  return html`<tr>
<td class="when">${renderTime(entry.received_at)}</td>
<td><a class="id" href="${linkToCall(entry.source, entry.call_id)}">${entry.call_id}</a></td>
<td>${entry.source}</td>
<td>${entry.outcome ?? html`<span class="none">not read yet</span>`}</td>
<td>${renderDeliveries(entry)}</td>
</tr>`;
}

function renderDeliveries(entry: LedgerEntry): HtmlPart {
  if (entry.stopped?.state === 'parked') return renderChip('parked', 'parked before its routes');
  if (entry.stopped) return renderChip('dead', 'stopped before its routes');
  if (entry.waiting) return renderChip('received', 'waits');
  if (!entry.routed) return renderChip('received');
  if (entry.deliveries.length === 0) return renderChip('unrouted', 'no route');
  return entry.deliveries.map(
    (delivery) =>
      html`<div class="delivery">${renderChip(delivery.state, `${delivery.route}: ${delivery.state}`)} ${renderOmitted(delivery)} ${delivery.records.map(
        (record) => html`${renderRecord(record)} `,
      )}</div>`,
  );
}

function renderOmitted({ notes }: LedgerEntry['deliveries'][number]): HtmlPart {
  const omitted = notes.filter(isOmission);
  if (omitted.length === 0) return false;
  const names = omitted.map(nameOmitted).join(', ');
  return html`<span class="chip omitted" title="${names}">${count(omitted.length, 'field')} left out</span>`;
}

function renderPaging({ next, cut, entries }: CallPage, query: CallSearch): HtmlPart {
  const first = query.after && html`<a href="/?${parametersOf(query).toString()}">Newest</a>`;
  if (!next) return first && html`<p class="paging">${first}</p>`;
  const parameters = parametersOf(query);
  parameters.set('after', next);
  const text = cut ? `Search on in older calls (${count(entries.length, 'hit')} so far)` : 'Older';
  return html`<p class="paging">${first} <a href="/?${parameters.toString()}">${text}</a></p>`;
}

function parametersOf({ after: _after, ...filter }: CallSearch): URLSearchParams {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function isFiltered({ after: _after, ...filter }: CallSearch): boolean {
  return Object.keys(filter).length > 0;
}
