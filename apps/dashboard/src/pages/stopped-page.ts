import type { Stopped, StoppedItem } from '@wrapup/queue';
import { type Html, html, type Part } from '../html.ts';
import { LONGEST_REASON, renderDrop, renderDropCall, renderReplay, renderReplayCall } from './actions.ts';
import { count, linkToCall, renderSelect, renderTime } from './parts.ts';

/** What the reader chose by. */
export interface StoppedQuery {
  route?: string;
  connection?: string;
  source?: string;
  /** Part of the reason, or its code. */
  reason?: string;
  /** A duration: stopped since so long ago. */
  since?: string;
}

export interface StoppedPage {
  state: Stopped;
  /** Everything that matches. */
  items: StoppedItem[];
  query: StoppedQuery;
  /** Epoch ms of this page. */
  now: number;
  sources: string[];
  routes: string[];
  connections: string[];
}

/** Rows on one page. */
const MOST_SHOWN = 200;
/** Deliveries that one press replays or drops. */
export const MOST_AT_ONCE = 1_000;

const SINCE = ['1h', '6h', '1d', '3d', '7d'];

const SAYS = {
  parked: {
    title: 'Parked',
    what: 'These wait for a person: fix what the reason names, then replay. Longest waiting first.',
    none: 'Nothing is parked.',
  },
  dead: {
    title: 'Dead',
    what: 'These were given up after all attempts: an operator’s matter. Longest waiting first.',
    none: 'Nothing is dead.',
  },
};

export function renderStopped(page: StoppedPage): Html {
  const { state, items, query } = page;
  const { title, what, none } = SAYS[state];
  const filtered = Object.keys(query).length > 0;
  if (items.length === 0 && !filtered) return html`<h1>${title}</h1><p class="empty">${none}</p>`;
  return html`<h1>${title}</h1>
<p>${what}</p>
${renderFilter(page)}
${items.length === 0 ? html`<p class="empty">None of them matches.</p>` : renderMatches(page, filtered)}`;
}

function renderFilter({ state, items, query, ...names }: StoppedPage): Html {
  return html`<form class="filter" method="get" action="/${state}" role="search">
<label>Reason or code<input name="reason" value="${query.reason ?? ''}" list="codes" autocomplete="off" spellcheck="false"></label>
<datalist id="codes">${[...new Set(items.map(({ code }) => code))].sort().map((code) => html`<option value="${code}"></option>`)}</datalist>
${renderSelect('route', 'Route', names.routes, query.route)}
${renderSelect('connection', 'Connection', names.connections, query.connection)}
${renderSelect('source', 'Source', names.sources, query.source)}
${renderSelect('since', 'Stopped in the last', SINCE, query.since)}
<button>Choose</button> <a href="/${state}">Clear</a>
</form>`;
}

function renderMatches(page: StoppedPage, filtered: boolean): Html {
  const { state, items } = page;
  const shown = items.slice(0, MOST_SHOWN);
  return html`<p><b>${count(items.length, 'delivery', 'deliveries')}</b>${filtered ? ' match' : ''}${
    items.length === 1 && filtered ? 'es' : ''
  }.${items.length > shown.length && ` The first ${shown.length} are listed.`}</p>
${items.length > 1 && renderAll(page)}
<div class="wide"><table>
<thead><tr><th>Since</th><th>Call</th><th>Route</th><th>Why, and what to do</th><th>Attempts</th><th><span class="hidden">Actions</span></th></tr></thead>
<tbody>${shown.map((item) => renderRow(item, `/${state}`))}</tbody></table></div>`;
}

/** For all that match, what is not listed for want of room included. */
function renderAll({ state, items, query, now }: StoppedPage): Html {
  const number = Math.min(items.length, MOST_AT_ONCE);
  const all = items.length > number ? `the ${number.toLocaleString('en-US')} longest waiting` : `these ${number}`;
  const chosen: Part = html`<input type="hidden" name="seen" value="${now}">${Object.entries(query).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`;
  return html`<div class="buttons all">
<details class="drop replay"><summary>Replay ${all}…</summary>
<form method="post" action="/${state}/replay">${chosen}
<p>Each goes on its way again with the mapping as it is now, and has its attempts anew. Nothing is made twice. What stops from now on is not among them.</p>
<button class="primary">Replay ${all}</button></form></details>
<details class="drop"><summary>Drop ${all}…</summary>
<form method="post" action="/${state}/drop">${chosen}
<label>Reason, kept in the ledger. No names, numbers or addresses.
<input name="why" required maxlength="${LONGEST_REASON}" autocomplete="off"></label>
<button class="danger">Drop ${all}</button></form></details>
</div>`;
}

function renderRow(item: StoppedItem, back: string): Html {
  const { source, call_id, route } = item;
  return html`<tr>
<td class="when">${renderTime(Date.parse(item.since))}</td>
<td><a class="id" href="${linkToCall(source, call_id)}">${call_id}</a><br><span class="none">${source}</span></td>
<td>${route ? html`<span class="route">${route}</span><br><span class="none">to ${item.connection}</span>` : html`<span class="none">none yet</span>`}</td>
<td class="why"><code>${item.code}</code> ${item.reason}<p class="hint">${item.hint}</p></td>
<td class="number">${item.attempts}</td>
<td class="buttons">${
    route
      ? html`${renderReplay({ source, call_id, route, back })}${renderDrop({ source, call_id, route, back })}`
      : html`${renderReplayCall({ source, call_id, back })}${renderDropCall({ source, call_id, back })}`
  }</td>
</tr>`;
}
