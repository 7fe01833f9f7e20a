/** What a replay or drop of many, or a decision for many, would do, before it is done; and what it left. */
import { spoken } from '@wrapup/call';
import type { BulkAction, BulkRun, LeftItem, Partition, UnresolvedItem, UnresolvedState } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { type ItemPreview, MOST_PREVIEWED } from '../../queries/preview-replays.ts';
import { MAX_REASON_LENGTH } from '../actions.ts';
import { count, linkToCall, renderTime } from '../parts.ts';
import { addressOf, type UnresolvedQuery } from './query.ts';

export interface BulkPreviewParts {
  state: UnresolvedState;
  action: Exclude<BulkAction, 'choose'>;
  query: UnresolvedQuery;
  /** Epoch ms of the page that they were chosen on. */
  seen: number;
  matching: { count: number; exact: boolean };
  /** Of those that match; empty where a text chose them, which is not indexed. */
  partitions: readonly Partition[];
  /** The first of them. */
  items: readonly UnresolvedItem[];
  /** Cursors of those of them whose payload is kept. */
  kept: ReadonlySet<string>;
  /** Why nothing is written to a connection now, a sentence for each that is paused. */
  pauses: readonly string[];
  /** The files of the configuration have errors. */
  broken: boolean;
  /** Where the CRMs were asked. */
  previews?: ReadonlyMap<string, ItemPreview> | undefined;
}

export function renderBulkPreview(parts: BulkPreviewParts): Html {
  const { state, action, query, matching, partitions, pauses, broken } = parts;
  const all = `${matching.exact ? '' : 'at least '}${count(matching.count, 'delivery', 'deliveries')}`;
  const back = html`<a href="${addressOf(`/${state}`, query)}">Back to the list</a>`;
  if (matching.count === 0)
    return html`<h1>Nothing to ${action}</h1><p class="empty">None is left that matches. ${back}</p>`;
  return html`<h1>${action === 'replay' ? 'Replay' : 'Drop'} ${all}</h1>
<p>${
    action === 'replay'
      ? 'Each is delivered again with the current mapping and with all its attempts. Nothing is created twice, and what a colleague changed stays. What stops from now on is not included.'
      : 'Each is given up: nothing is written any more, and the reason stays in the ledger. A dropped delivery can still be replayed as long as its payload is kept. What stops from now on is not included.'
  }</p>
${action === 'replay' && broken && html`<p class="notice bad" role="alert">The files of the configuration have errors, which <code>wrapup check</code> lists: the replays would go by the previous ones.</p>`}
${pauses.map((why) => html`<p class="notice note">${why} What is replayed waits there.</p>`)}
${partitions.length > 0 && renderPartitions(partitions)}
${renderForm(parts)}
<h2>The first ${Math.min(parts.items.length, matching.count).toLocaleString('en-US')}</h2>
${action === 'replay' && !parts.previews && renderAsk(parts)}
${renderItems(parts.items, action === 'replay' ? { kept: parts.kept, previews: parts.previews } : {})}
<p>${back}</p>`;
}

function renderPartitions(partitions: readonly Partition[]): Html {
  return html`<div class="wide"><table><caption class="hidden">How many of each kind</caption>
<thead><tr><th scope="col">Code</th><th scope="col">Route</th><th scope="col">Connection</th><th scope="col">Source</th><th scope="col">Deliveries</th></tr></thead>
<tbody>${partitions.map(
    ({ code, route, connection, source, count: number }) =>
      html`<tr><td>${spoken(code)}</td><td>${route || 'none yet'}</td><td>${connection || 'none yet'}</td><td>${source}</td><td class="number">${number.toLocaleString('en-US')}</td></tr>`,
  )}</tbody></table></div>`;
}

function hiddenOf(query: UnresolvedQuery, seen: number): HtmlPart {
  return html`<input type="hidden" name="seen" value="${seen}">${Object.entries(query).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`;
}

function renderForm({ state, action, query, seen, matching }: BulkPreviewParts): Html {
  const all = matching.exact ? `these ${matching.count.toLocaleString('en-US')}` : 'all that match';
  if (action === 'replay')
    return html`<form class="act" method="post" action="/${state}/replay">${hiddenOf(query, seen)}<button class="primary">Replay ${all}</button></form>`;
  return html`<form class="act" method="post" action="/${state}/drop">${hiddenOf(query, seen)}
<label>Reason, kept in the ledger. No names, numbers or addresses.
<input name="why" required maxlength="${MAX_REASON_LENGTH}" autocomplete="off"></label>
<button class="danger">Drop ${all}</button></form>`;
}

function renderAsk({ state, query, seen }: BulkPreviewParts): Html {
  return html`<form method="post" action="/${state}/preview"><input type="hidden" name="action" value="replay">${hiddenOf(query, seen)}<button>Ask the CRM what they would write</button> <span class="none">of the first ${MOST_PREVIEWED}; logged, not kept</span></form>`;
}

/** The first of many, with what would become of each where that is known. */
export function renderItems(
  items: readonly UnresolvedItem[],
  { kept, previews }: { kept?: ReadonlySet<string>; previews?: ReadonlyMap<string, ItemPreview> | undefined },
): Html {
  return html`<div class="wide"><table><caption class="hidden">The first of them</caption>
<thead><tr><th scope="col">Since</th><th scope="col">Call</th><th scope="col">Route</th><th scope="col">Why</th>${(kept || previews) && html`<th scope="col">What would happen</th>`}</tr></thead>
<tbody>${items.map(
    (item) => html`<tr><td class="when">${renderTime(Date.parse(item.since))}</td>
<td><a class="id" href="${linkToCall(item.source, item.call_id)}">${item.call_id}</a></td>
<td>${item.route ?? 'none yet'}</td><td class="why"><b>${spoken(item.code)}</b> ${item.reason}</td>
${(kept || previews) && html`<td>${sayPreview(previews?.get(item.cursor), kept?.has(item.cursor) !== false)}</td>`}</tr>`,
  )}</tbody></table></div>`;
}

function sayPreview(preview: ItemPreview | undefined, isKept: boolean): HtmlPart {
  if (!isKept || preview === 'no payload') return 'stays: no payload is left to deliver';
  if (preview === undefined) return 'is queued again';
  if (preview === 'no route') return 'is queued again; its route is not in the configuration';
  const { changes, records, stays, error } = preview;
  if (error !== undefined) return html`is queued again; the CRM could not be asked: ${error}`;
  const kept =
    stays.length > 0 && html`<span class="facts-line">stays, as a colleague changed it: ${stays.join(', ')}</span>`;
  return html`writes ${count(changes, 'field')}: ${records.join(', ') || 'no record'}${kept}`;
}

const WHY_LEFT: Record<LeftItem['why'], string> = {
  moved: 'its state had changed meanwhile',
  expired: 'no payload is left to deliver: backfill --call and its id fetches it again',
  no_candidate: 'the person that was chosen is none of its candidates',
  only_said: 'its number or address was only said',
};

/** Which items a run left where they are, and why. */
export function renderLeft({ left = [], expired, refused = 0 }: BulkRun): HtmlPart {
  if (left.length === 0) return false;
  const more = expired + refused - left.length;
  return html`<section class="left"><h2>Left as they are</h2><ul>${left.map(
    ({ source, call_id, route, why }) =>
      html`<li><a class="id" href="${linkToCall(source, call_id)}">${call_id}</a>${route && html` on ${route}`}: ${WHY_LEFT[why]}</li>`,
  )}</ul>${more > 0 && html`<p class="none">and ${more.toLocaleString('en-US')} more</p>`}</section>`;
}
