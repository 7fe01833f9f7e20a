import { OUTCOMES, spoken } from '@wrapup/call';
import { isOmission, nameOmitted, type PersonRecord } from '@wrapup/destination';
import type { DeliveryEntry, LedgerEntry } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { CALL_STATES, type CallPage, type CallSearch, endOf } from '../queries/search-calls.ts';
import { writeMoment } from '../queries/time-range.ts';
import { count, linkToCall, renderChip, renderDuration, renderRecord, renderSelect, renderTime } from './parts.ts';

/** Who calls are about, by `connection record id`; `problem` where a CRM could not be asked. */
export interface AskedNames {
  people: Map<string, PersonRecord>;
  /** By the connection that could not be asked. */
  problems: Map<string, string>;
}

export interface CallsPage {
  page: CallPage;
  query: CallSearch;
  zone: string;
  /** What keeps calls from being taken or written now. */
  stops: HtmlPart;
  /** Names by id, for the filter. */
  agents: ReadonlyMap<string, string>;
  agentName(source: string, id: string): string | undefined;
  /** For the filter. */
  sources: string[];
  routes: string[];
  connections: string[];
  /** Where they were asked for. */
  names?: AskedNames | undefined;
  /** The calls are those of one person, whose number or address is not repeated. */
  ofPerson?: boolean;
  /** What was asked for could not be searched for. */
  isRefused?: boolean;
}

export function renderCalls(parts: CallsPage): Html {
  const { page, query, zone, stops, agents, ofPerson } = parts;
  return html`<h1>Calls</h1>
${stops}
<div class="searches">
<form class="filter" method="get" action="/calls" role="search">
<label>From<input type="datetime-local" name="from" value="${momentOf(query.from, zone)}"></label>
<label>To<input type="datetime-local" name="to" value="${momentOf(query.until, zone)}"></label>
${renderSelect('outcome', 'Outcome', OUTCOMES, query.outcome, spoken)}
${renderSelect('state', 'State', CALL_STATES, query.state)}
<label>Result<input name="result" value="${query.result ?? ''}" list="results" autocomplete="off" size="12"></label>
<datalist id="results">${RESULTS.map((name) => html`<option value="${name}"></option>`)}</datalist>
${renderAgentSelect(agents, query.agent)}
<label>Call id<input name="id" value="${query.id ?? ''}" autocomplete="off" spellcheck="false" size="14"></label>
<details class="more"${(query.route || query.connection || query.source || query.direction || query.code || query.omitted) && html` open`}><summary>More</summary>
${renderSelect('direction', 'Direction', ['inbound', 'outbound'], query.direction)}
${renderSelect('route', 'Route', parts.routes, query.route)}
${renderSelect('connection', 'Connection', parts.connections, query.connection)}
${renderSelect('source', 'Source', parts.sources, query.source)}
<label>Reason<input name="code" value="${query.code ?? ''}" autocomplete="off" size="14"></label>
<label>Left out<select name="omitted"><option value="">any</option>${query.omitted ? html`<option value="1" selected>something</option>` : html`<option value="1">something</option>`}</select></label></details>
<button>Search</button> <a href="/calls">Clear</a>
</form>
<form class="filter person" method="post" action="/calls/of-person"><label>Of one person: phone or e-mail<input name="person" autocomplete="off" spellcheck="false" required></label><button>Find</button></form>
</div>
${query.line && html`<p class="notice note">Calls that lack the field of line ${query.line} still${query.from !== undefined && ', by when they were written'}. <a href="/omissions">Omissions</a> replays them.</p>`}
${ofPerson && html`<p class="notice note">Calls that name this person, newest first. Nothing of what was typed is kept. <a href="/calls">All calls</a></p>`}
${renderAskNames(parts)}
${renderList(parts)}
${renderPaging(page, query, zone)}`;
}

/** What the presets say that a call came to, to choose from; a mapping may say others. */
const RESULTS = [
  'booked',
  'interested',
  'not_interested',
  'call_back',
  'do_not_call',
  'wrong_number',
  'not_reached',
  'voicemail',
];

function momentOf(ms: number | undefined, zone: string): string {
  return ms === undefined ? '' : writeMoment(ms, zone);
}

function renderAgentSelect(agents: ReadonlyMap<string, string>, chosen: string | undefined): Html {
  const all = chosen && !agents.has(chosen) ? [...agents, [chosen, chosen] as const] : [...agents];
  return html`<label>Agent<select name="agent"><option value="">any</option>${all.map(([id, name]) =>
    id === chosen
      ? html`<option value="${id}" selected>${name}</option>`
      : html`<option value="${id}">${name}</option>`,
  )}</select></label>`;
}

/** The button that reads who the calls of the page are about. */
function renderAskNames({ page: { entries }, names, query, zone }: CallsPage): HtmlPart {
  if (names) {
    return html`<p class="none">Names and numbers as the CRM says them now; the look is in the audit, and nothing of what the CRM answered is kept.${[...names.problems.values()].map((problem) => html` <strong>${problem}</strong>`)}</p>`;
  }
  if (!entries.some((entry) => personsOf(entry).length > 0)) return false;
  const calls = entries.map(({ source, call_id }) => `${source}:${call_id}`).join('\n');
  return html`<form class="names" method="post" action="/calls/names?${parametersOf(query, zone).toString()}"><input type="hidden" name="calls" value="${calls}"><button>Show names and numbers</button> <span class="none">read from the CRM and not kept; the look is in the audit</span></form>`;
}

/** The records of people that a call was written to. */
export function personsOf({ deliveries }: LedgerEntry): { connection: string; id: string }[] {
  return deliveries.flatMap(({ connection, records }) =>
    records.filter(({ name }) => name === 'person').map(({ id }) => ({ connection, id })),
  );
}

function renderList({ page: { entries, cut }, query, ...parts }: CallsPage): HtmlPart {
  if (entries.length === 0) {
    if (cut) return html`<p class="empty">Nothing found so far. Search on below.</p>`;
    if (parts.isRefused) return html`<p class="empty"><a href="/calls">All calls</a></p>`;
    const isFiltered = parts.ofPerson || Object.keys(query).some((name) => name !== 'after');
    return html`<p class="empty">${isFiltered ? html`No call matches: take a filter away, or look at a longer time. <a href="/calls">All calls</a>` : html`No calls yet. They appear here as soon as the first webhook comes in: <a href="/setup">Set-up</a> has its address, and sends a test call.`}</p>`;
  }
  return html`<div class="wide"><table class="calls">
<thead><tr><th scope="col">Ended</th>${parts.names && html`<th scope="col">Person</th>`}<th scope="col">Call</th><th scope="col">Outcome</th><th scope="col">Result</th><th scope="col">What became of it</th><th scope="col">Records</th></tr></thead>
<tbody>${entries.map((entry) => renderRow(entry, parts))}</tbody></table></div>`;
}

function renderRow(entry: LedgerEntry, { agentName, names }: Pick<CallsPage, 'agentName' | 'names'>): Html {
  const agent = entry.agent_id && (agentName(entry.source, entry.agent_id) ?? entry.agent_id.slice(0, 8));
  const facts = [agent, entry.direction, renderDuration(entry.duration)].filter(Boolean).join(', ');
  const results = [...new Set(entry.deliveries.map(({ result }) => result).filter((one) => one !== undefined))];
  return html`<tr data-of="${entry.source}:${entry.call_id}">
<td class="when">${renderTime(endOf(entry))}</td>
${names && html`<td class="who">${renderWho(entry, names)}</td>`}
<td><a class="id" href="${linkToCall(entry.source, entry.call_id)}">${entry.call_id}</a><span class="facts-line">${facts || entry.source}</span></td>
<td>${entry.outcome ? spoken(entry.outcome) : html`<span class="none">not read yet</span>`}</td>
<td>${results.length > 0 ? results.map(spoken).join(', ') : html`<span class="none">–</span>`}</td>
<td>${renderStates(entry)}</td>
<td>${renderRecords(entry.deliveries)}</td>
</tr>`;
}

function renderWho(entry: LedgerEntry, { people, problems }: AskedNames): HtmlPart {
  const persons = personsOf(entry);
  const found = persons.flatMap(({ connection, id }) => people.get(`${connection} ${id}`) ?? []);
  const [one] = found;
  if (!one) {
    const isAsked = !persons.some(({ connection }) => problems.has(connection));
    return html`<span class="none">${isAsked ? 'no person' : 'not known: the CRM could not be asked'}</span>`;
  }
  const { name, phone, email } = one.who ?? {};
  const second = phone ?? email;
  return html`${name ?? `${one.object} ${one.id}`}${second && html`<span class="facts-line">${second}</span>`}`;
}

function renderStates(entry: LedgerEntry): HtmlPart {
  if (entry.stopped?.state === 'parked') return renderChip('parked', 'parked before its routes');
  if (entry.stopped) return renderChip('dead', 'stopped before its routes');
  if (entry.waiting) return renderChip('received', 'waits');
  if (!entry.routed) return renderChip('received');
  if (entry.deliveries.length === 0) return renderChip('unrouted', 'no route');
  return entry.deliveries.map(
    (delivery) =>
      html`<div class="delivery">${renderChip(delivery.state, `${delivery.route}: ${delivery.state}`)} ${delivery.state === 'parked' || delivery.state === 'dead' ? html`<span class="none">${spoken(delivery.code ?? '')}</span>` : false}${renderOmitted(delivery)}</div>`,
  );
}

function renderRecords(deliveries: readonly DeliveryEntry[]): HtmlPart {
  const records = deliveries.flatMap((delivery) => delivery.records);
  return records.length === 0
    ? html`<span class="none">none</span>`
    : records.map((record) => html`${renderRecord(record)} `);
}

function renderOmitted({ notes }: DeliveryEntry): HtmlPart {
  const omitted = notes.filter(isOmission);
  if (omitted.length === 0) return false;
  const names = omitted.map(nameOmitted).join(', ');
  return html`<span class="chip omitted" title="${names}">${count(omitted.length, 'field')} left out</span>`;
}

function renderPaging({ next, cut, entries }: CallPage, query: CallSearch, zone: string): HtmlPart {
  const first = query.after && html`<a href="/calls?${parametersOf(query, zone).toString()}">Newest</a>`;
  if (!next) return first && html`<p class="paging">${first}</p>`;
  const parameters = parametersOf(query, zone);
  parameters.set('after', next);
  const text = cut ? `Search on in older calls (${count(entries.length, 'hit')} so far)` : 'Older';
  return html`<p class="paging">${first} <a href="/calls?${parameters.toString()}">${text}</a></p>`;
}

function parametersOf({ after: _after, from, until, ...filter }: CallSearch, zone: string): URLSearchParams {
  const times = { from: momentOf(from, zone), to: momentOf(until, zone) };
  const entries = Object.entries({ ...times, ...filter }).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(entries as [string, string][]);
}
