import { spoken } from '@wrapup/call';
import {
  type BulkAction,
  type BulkRun,
  isSearch,
  type Partition,
  type UnresolvedItem,
  type UnresolvedPage,
  type UnresolvedState,
} from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Right } from '../../security/rights.ts';
import { type ActionTarget, renderChoose, renderDrop, renderOpen, renderReplay } from '../actions.ts';
import { count, linkToCall, renderLink, renderSelect, renderTime } from '../parts.ts';
import { addressOf, type UnresolvedQuery } from './query.ts';

export interface UnresolvedPageParts {
  state: UnresolvedState;
  page: UnresolvedPage;
  /** How many match; `exact` false: that many at least. */
  matching: { count: number; exact: boolean };
  /** Everything in this state, by kind. */
  partitions: Partition[];
  /** Items of an earlier version that are not in the list yet. */
  unindexed: number;
  query: UnresolvedQuery;
  /** Epoch ms of this page. */
  now: number;
  /** Replays and drops of many that have not come to their end. */
  runs: BulkRun[];
  sources: string[];
  routes: string[];
  connections: string[];
  /** What a run that has just ended left as it is. */
  left?: HtmlPart;
  /** What the reader may do. */
  may(right: Right): boolean;
}

const SINCE = ['1h', '6h', '1d', '3d', '7d'];
/** A run without progress for this long has lost its process. */
export const STILL_MS = 20_000;

const TEXTS = {
  parked: {
    title: 'Parked',
    what: 'These wait for a person: fix what the reason names, then replay. Newest first.',
    none: 'Nothing is parked: no call waits for a person. What the next one needs is said here when it does; alerts: in wrapup.yaml sends word of it.',
  },
  dead: {
    title: 'Dead',
    what: 'These were given up after all attempts: an operator’s matter. Newest first.',
    none: 'Nothing is dead: the system has given nothing up. What it gives up stays here until a person replays or drops it.',
  },
};

export function renderUnresolved(parts: UnresolvedPageParts): Html {
  const { state, page, query, partitions, unindexed } = parts;
  const { title, what, none } = TEXTS[state];
  const filtered = Object.keys(query).length > 0;
  const head = html`<h1>${title}</h1>${parts.runs.map((run) => renderRun(run, parts.now))}${
    unindexed > 0 &&
    html`<p class="notice note">${count(unindexed, 'delivery', 'deliveries')} of an earlier version ${unindexed === 1 ? 'is' : 'are'} not listed yet: a worker indexes them.</p>`
  }`;
  if (partitions.length === 0 && page.items.length === 0 && !filtered)
    return html`${head}${parts.left}<p class="empty">${none}</p>`;
  return html`${head}${parts.left}<p>${what}</p>
${renderCodes(parts)}
${renderFilter(parts)}
${page.items.length === 0 ? renderNothing(page) : renderMatches(parts, filtered)}
${renderPaging(state, page, query)}`;
}

function renderNothing({ cut }: UnresolvedPage): Html {
  return html`<p class="empty">${cut ? 'None found so far. Search on below.' : 'None of them matches.'}</p>`;
}

/** How many there are of each code. */
function renderCodes({ state, partitions }: UnresolvedPageParts): HtmlPart {
  const counts = new Map<string, number>();
  for (const one of partitions) counts.set(one.code, (counts.get(one.code) ?? 0) + one.count);
  if (counts.size < 2) return false;
  const rows = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  return html`<p class="codes">${rows.map(
    ([code, number]) =>
      html`<a href="/${state}?code=${encodeURIComponent(code)}">${spoken(code)} ${number.toLocaleString('en-US')}</a> `,
  )}</p>`;
}

function renderFilter({ state, partitions, query, ...names }: UnresolvedPageParts): Html {
  const codes = [...new Set(partitions.map(({ code }) => code))].sort();
  return html`<form class="filter" method="get" action="/${state}" role="search">
<label>Reason or code<input name="reason" value="${query.reason ?? spoken(query.code ?? '')}" list="codes" autocomplete="off" spellcheck="false"></label>
<datalist id="codes">${codes.map((code) => html`<option value="${spoken(code)}"></option>`)}</datalist>
${renderSelect('route', 'Route', names.routes, query.route)}
${renderSelect('connection', 'Connection', names.connections, query.connection)}
${renderSelect('source', 'Source', names.sources, query.source)}
${renderSelect('since', 'Stopped in the last', SINCE, query.since)}
<label>Stopped from<input type="datetime-local" name="from" value="${query.from ?? ''}"></label>
<label>to<input type="datetime-local" name="to" value="${query.to ?? ''}"></label>
<button>Filter</button> <a href="/${state}">Clear</a>
</form>`;
}

function renderMatches(parts: UnresolvedPageParts, filtered: boolean): Html {
  const { state, page, matching } = parts;
  const number = count(matching.count, 'delivery', 'deliveries');
  const match = filtered ? (matching.count === 1 ? ' matches' : ' match') : '';
  const { length } = page.items;
  return html`<p>${!matching.exact && 'At least '}<b>${number}</b>${match}.${
    length < matching.count && ` ${length.toLocaleString('en-US')} of them are on this page.`
  }</p>
${renderMany(parts)}
<div class="wide"><table>
<thead><tr><th scope="col">Since</th><th scope="col">Call</th><th scope="col">Route</th><th scope="col">Why, and what to do</th><th scope="col">Attempts</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
<tbody>${page.items.map((item) => renderRow(item, parts))}</tbody></table></div>
${renderKeys([
  ['j, k', 'next and previous row'],
  ['o', state === 'parked' ? 'open it to decide' : 'open the call'],
  ['r', 'replay the row'],
  ['d', 'drop the row: asks for the reason'],
  ['1 – 9', 'choose that candidate of the row'],
])}`;
}

/** The ways to all that match, what stands on other pages included. */
function renderMany({ state, matching, query, now, may }: UnresolvedPageParts): Html {
  const all = matching.exact ? `these ${matching.count.toLocaleString('en-US')}` : 'all that match';
  const to = (action: 'replay' | 'drop') =>
    html`<a class="button" href="${addressOf(`/${state}/preview`, query, { action, seen: String(now) })}">${action === 'replay' ? 'Replay' : 'Drop'} ${all}…</a>`;
  return html`<p class="buttons all">${state === 'parked' && may('decide') && html`<a class="button primary" href="${addressOf('/parked/decide', query)}">Decide one after the other</a>`}${
    matching.count > 1 && html`${may('replay') && to('replay')}${may('drop') && to('drop')}`
  }</p>`;
}

/** The keys of a page, for the script that reads them; without it they are not shown. */
export function renderKeys(keys: readonly (readonly [string, string])[]): Html {
  return html`<details class="keys" hidden><summary>Keys <kbd>?</kbd></summary><dl>${keys.map(
    ([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`,
  )}</dl><label><input type="checkbox" name="keys" checked> single keys are on</label></details>`;
}

const RUN_WORDS: Record<BulkAction, [doing: string, done: string]> = {
  replay: ['Replaying', 'replayed'],
  drop: ['Dropping', 'dropped'],
  choose: ['Deciding', 'decided'],
};

/** A run over many that has not come to its end. */
function renderRun({ id, state, action, of, matched, done, expired, moved_at, filter }: BulkRun, now: number): Html {
  const still = now - moved_at > STILL_MS;
  const searches = isSearch(filter);
  const behind = searches ? `${matched.toLocaleString('en-US')} found` : '';
  const so_far = searches ? behind : `${matched.toLocaleString('en-US')} of ${of.toLocaleString('en-US')}`;
  const [doing, verb] = RUN_WORDS[action];
  return html`<div class="notice note" role="status"><p>${doing}: ${so_far}, ${done.toLocaleString('en-US')} ${verb}${
    expired > 0 && `, ${expired.toLocaleString('en-US')} without a payload`
  }. ${still ? html`It has made no progress since ${renderTime(moved_at, now)}: its process has ended.` : 'This page follows it.'}</p>
${!searches && html`<progress max="${of}" value="${Math.min(matched, of)}">${so_far}</progress>`}
${still && html`<form method="post" action="/${state}/runs/${id}"><button class="primary">Resume it</button></form>`}</div>`;
}

function renderRow(item: UnresolvedItem, { state, query, may }: UnresolvedPageParts): Html {
  const { source, call_id, route } = item;
  const target = { source, call_id, back: `/${state}`, ...(route && { route }) };
  const place = { id: call_id, id_source: source, ...(route === null ? {} : { id_route: route }) };
  const isAmbiguous = item.code === 'ambiguous_person';
  const decide = state === 'parked' && may('decide') && addressOf('/parked/decide', query, place);
  return html`<tr data-row data-of="${source}:${call_id}:${route ?? ''}">
<td class="when">${renderTime(Date.parse(item.since))}</td>
<td><a class="id" href="${linkToCall(source, call_id)}"${!decide && html` data-key="o"`}>${call_id}</a><br><span class="none">${source}</span></td>
<td>${route ? html`<span class="route">${route}</span><br><span class="none">to ${item.connection}</span>` : html`<span class="none">none yet</span>`}</td>
<td class="why"><b>${spoken(item.code)}</b> ${item.reason}<p class="hint">${item.hint}</p>${renderCandidates(item, target)}</td>
<td class="number">${item.attempts}</td>
<td class="buttons">${decide && html`<a class="button${isAmbiguous && ' primary'}" href="${decide}" data-key="o">Decide</a>`}<span data-key="r">${renderReplay(target, { isMain: !isAmbiguous })}</span>${route && renderOpen(target)}<span data-key="d">${renderDrop(target)}</span></td>
</tr>`;
}

/** Whom it could be. Who they are says the page of the call, which asks the CRM. */
function renderCandidates({ candidates = [], lasting }: UnresolvedItem, target: ActionTarget): HtmlPart {
  return (
    candidates.length > 0 &&
    html`<ul class="candidates">${candidates.map(
      ({ id, url }, index) =>
        html`<li>${renderLink(id, url)} <span data-key="${index + 1}">${renderChoose(target, id, lasting === true)}</span></li>`,
    )}</ul>`
  );
}

function renderPaging(
  state: UnresolvedState,
  { next, previous, cut }: UnresolvedPage,
  query: UnresolvedQuery,
): HtmlPart {
  const link = (text: string, place?: Record<string, string>) =>
    html`<a href="/${state}?${new URLSearchParams({ ...query, ...place }).toString()}">${text}</a> `;
  if (next === undefined && previous === undefined) return false;
  return html`<nav class="paging" aria-label="Pages">${previous !== undefined && html`${link('Newest')}${link('Newer', { before: previous })}`}${
    next !== undefined && link(cut ? 'Search on in older ones' : 'Older', { after: next })
  }</nav>`;
}
