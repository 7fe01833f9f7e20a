/** One parked delivery after another, each with what it takes to decide it. */
import { type Call, spoken } from '@wrapup/call';
import { NEW_PERSON, type PersonRecord } from '@wrapup/destination';
import type { UnresolvedItem } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Refused } from '../../queries/ask-crm.ts';
import {
  type Agreement,
  type ComparedRow,
  compareCandidates,
  countAgreements,
} from '../../queries/compare-candidates.ts';
import { type ItemPreview, MOST_PREVIEWED } from '../../queries/preview-replays.ts';
import { type ActionTarget, renderChoose, renderDrop, renderReplay } from '../actions.ts';
import { count, linkToCall, renderFact, renderLink, renderTime } from '../parts.ts';
import { renderItems } from './bulk-preview-page.ts';
import { addressOf, type UnresolvedQuery } from './query.ts';
import { renderKeys } from './unresolved-page.ts';

export interface Asked {
  /** What the call says; absent where no payload is kept. */
  call?: Pick<Call, 'lead' | 'vars'> | undefined;
  /** What the route's mapping would write of the person. */
  person?: Parameters<typeof compareCandidates>[1];
  /** As the CRM says them now, in the order of the item's candidates. */
  people: readonly (PersonRecord | { id: string })[] | Refused;
}

export interface DecidePageParts {
  item: UnresolvedItem;
  asked: Asked;
  query: UnresolvedQuery;
  /** How many match, this one with them. */
  left: { count: number; exact: boolean };
  /** How many others are parked for the same number or address. */
  alike: number;
  /** The call that was decided before, to look at it again. */
  before?: { source: string; call_id: string } | undefined;
}

const MARKS: Record<Agreement, string> = { agrees: '✓ agrees', differs: '≠ differs', empty: '– not in the CRM' };

export function renderDecide({ item, asked, query, left, alike, before }: DecidePageParts): Html {
  const { source, call_id, route, connection, code, reason, hint, since, attempts, outcome } = item;
  const next = addressOf('/parked/decide', query, { after: item.cursor });
  const target: ActionTarget = { source, call_id, back: next, ...(route && { route }) };
  return html`<p class="left-over"><b>${left.exact ? '' : 'At least '}${left.count.toLocaleString('en-US')} left</b> <a href="${addressOf('/parked', query)}">The list</a>${before && html` · <a href="${linkToCall(before.source, before.call_id)}">The call before</a>`}</p>
<h1>${item.candidates ? 'Who is it?' : 'What becomes of it?'}</h1>
<div class="decide" data-keys>
<dl class="facts">
${renderFact('Call', html`<a class="id" href="${linkToCall(source, call_id)}" data-key="o">${call_id}</a> <span class="none">${source}</span>`)}
${renderFact('Route', route ? html`${route} <span class="none">to ${connection}</span>` : 'none yet')}
${renderFact('Since', html`${renderTime(Date.parse(since))}, ${count(attempts, 'attempt')}`)}
${renderFact('Outcome', outcome?.replaceAll('_', ' '))}
${renderFact('Reason', html`<b>${spoken(code)}</b> ${reason}`)}
${renderFact('What to do', hint)}
</dl>
${item.candidates && renderCandidates(item, asked, target, alike, query)}
${code === 'unmatched_person' && asked.call && renderNew(target)}
${asked.call && renderVariables(asked.call)}
${!asked.call && html`<p class="none">No payload is kept of this call, so that it cannot be delivered: <code>wrapup backfill --call</code> and its id fetches it again.</p>`}
<div class="buttons">${asked.call && html`<span data-key="r">${renderReplay(target, { isMain: code !== 'ambiguous_person' })}</span>`}<span data-key="d">${renderDrop(target)}</span>
<form method="get" action="/parked/decide">${Object.entries({ ...query, after: item.cursor }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<button data-key="n">Leave it, next</button></form></div>
</div>
${renderKeys([
  ['1 – 9', 'choose that candidate'],
  ['r', 'replay'],
  ['d', 'drop: asks for the reason'],
  ['n', 'leave it and go to the next'],
  ['o', 'open the call'],
  ['l', 'the same for all of this number'],
])}`;
}

/** The CRM has no person of the number or address: one is made of what the call says. */
function renderNew(target: ActionTarget): Html {
  return html`<p class="buttons"><span data-key="1">${renderChoose(target, NEW_PERSON, false)}</span></p>`;
}

function renderCandidates(
  item: UnresolvedItem,
  { call, person = null, people: answer }: Asked,
  target: ActionTarget,
  alike: number,
  query: UnresolvedQuery,
): Html {
  const candidates = item.candidates ?? [];
  const people = 'failure' in answer ? candidates.map(({ id }) => ({ id })) : answer;
  const rows = compareCandidates(call ?? { lead: {}, vars: {} }, person, people);
  const failed = 'failure' in answer;
  return html`${failed && html`<p class="notice bad" role="alert">The CRM could not be asked who they are: ${answer.failure.message}</p>`}
<div class="wide compare"><table><caption class="hidden">What the call says, beside what the CRM has of each candidate</caption>
<thead><tr><th scope="col">Field</th><th scope="col">The call says</th>${people.map((_, index) => html`<th scope="col"><kbd>${index + 1}</kbd> Candidate ${index + 1}</th>`)}</tr></thead>
<tbody><tr><th scope="row">Record</th><td></td>${people.map((one, index) => {
    const url = 'object' in one ? one.url : candidates[index]?.url;
    return html`<td data-label="Candidate ${index + 1}">${renderLink('object' in one ? `${one.object} ${one.id}` : one.id, url)}</td>`;
  })}</tr>
${rows.map((row) => renderRow(row, people))}
<tr class="sum"><th scope="row">In sum</th><td></td>${people.map((one, index) => {
    if (!('object' in one))
      return html`<td data-label="Candidate ${index + 1}">${failed ? html`<span class="none">not asked</span>` : 'is not there any more'}</td>`;
    const { agrees, differs } = countAgreements(rows, index);
    return html`<td data-label="Candidate ${index + 1}">${call ? `${agrees} agree, ${differs} differ` : html`<span class="none">no payload to compare with</span>`}</td>`;
  })}</tr>
<tr><th scope="row">Decide</th><td></td>${people.map(
    (one, index) =>
      html`<td data-label="Candidate ${index + 1}">${
        call &&
        (failed || 'object' in one) &&
        html`<span data-key="${index + 1}">${renderChoose(target, one.id, item.lasting === true)}</span>${
          alike > 0 &&
          html`<a href="${linkToAlike(item, one.id, query)}"${index === 0 && html` data-key="l"`}>The same for ${count(alike, 'other')} of this number…</a>`
        }`
      }</td>`,
  )}</tr></tbody></table></div>`;
}

function renderRow({ label, said, candidates }: ComparedRow, people: readonly (PersonRecord | { id: string })[]): Html {
  return html`<tr><th scope="row">${label}</th><td data-label="The call says">${said ?? html`<span class="none">nothing</span>`}</td>${candidates.map(
    ({ value, is }, index) =>
      html`<td data-label="Candidate ${index + 1}">${value ?? html`<span class="none">${'object' in (people[index] ?? {}) ? 'nothing' : 'not known'}</span>`}${is && html` <span class="mark ${is}">${MARKS[is]}</span>`}</td>`,
  )}</tr>`;
}

function renderVariables({ vars }: Pick<Call, 'vars'>): HtmlPart {
  const entries = Object.entries(vars);
  if (entries.length === 0) return false;
  return html`<h2>Variables</h2><dl class="facts">${entries.map(([name, value]) => renderFact(name, typeof value === 'string' ? value : JSON.stringify(value)))}</dl>`;
}

function linkToAlike({ source, call_id, route }: UnresolvedItem, person: string, query: UnresolvedQuery): string {
  return addressOf('/parked/choose', query, { of_source: source, call_id, of_route: route ?? '', person });
}

/** Nothing is left behind the one that was decided, or nothing at all. */
export function renderDecided(query: UnresolvedQuery, left: number): Html {
  const again = addressOf('/parked/decide', query);
  return html`<h1>${left > 0 ? 'That was the last' : 'All decided'}</h1>
<p>${left > 0 ? html`${count(left, 'delivery was', 'deliveries were')} left as they are, or stopped meanwhile. <a href="${again}">Begin again</a>` : 'Nothing that matches is parked.'} <a href="${addressOf('/parked', query)}">The list</a></p>`;
}

export interface AlikePageParts {
  /** The delivery that the choice is made on. */
  of: { source: string; call_id: string; route: string };
  person: string;
  query: UnresolvedQuery;
  matching: { count: number; exact: boolean };
  items: readonly UnresolvedItem[];
  previews: ReadonlyMap<string, ItemPreview>;
}

/** Which calls a decision for all of a number would take along, and what would be written. */
export function renderAlike({ of, person, query, matching, items, previews }: AlikePageParts): Html {
  const many = `${matching.exact ? '' : 'at least '}${count(matching.count, 'delivery', 'deliveries')}`;
  const fields = { of_source: of.source, call_id: of.call_id, of_route: of.route, person, ...query };
  return html`<h1>Decide ${many} for ${person}</h1>
<p>They are parked on route ${of.route} for the same number or address. Each is replayed with this person, and written only if that is still a candidate of it. What stops from now on is not included.</p>
<form class="act" method="post" action="/parked/choose">${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<label><input type="checkbox" name="remember" value="yes"> also for later calls of this number or address</label>
<button class="primary">Decide ${matching.exact ? `these ${matching.count.toLocaleString('en-US')}` : 'all of them'}</button></form>
<h2>${items.length < matching.count ? `The first ${MOST_PREVIEWED}` : 'Which, and what would be written'}</h2>
<p class="none">As the CRM answers now. Nothing is written yet; the look is in the audit.</p>
${renderItems(items, { previews })}
<p><a href="${addressOf('/parked/decide', query)}">Back to deciding</a></p>`;
}
