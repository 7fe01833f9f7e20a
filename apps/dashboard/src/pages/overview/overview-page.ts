import { spoken } from '@wrapup/call';
import { nameOmitted } from '@wrapup/destination';
import { type AgentCount, type ConnectionReport, type SchemaCheckResult, showShare, showTime } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Overview } from '../../queries/overview.ts';
import type { Reconciliation } from '../../queries/reconciliations.ts';
import { DAY_MS, RANGES, writeMoment } from '../../queries/time-range.ts';
import { renderReconciliations } from '../banners/reconciliations.ts';
import { renderSchemaChecks } from '../banners/schema-checks.ts';
import { renderStops } from '../banners/stops.ts';
import { count, renderChip, renderTime } from '../parts.ts';
import { renderChart } from './charts.ts';
import { renderJudgements } from './judgements.ts';

export interface OverviewPage {
  overview: Overview;
  reconciliations: Reconciliation[];
  schemaChecks: SchemaCheckResult[];
  /** A call was written lately: until then the page leads to the set-up. */
  isSetUp: boolean;
  /** Name of an agent, where wrapup.yaml has one. */
  agentName(source: string, id: string): string | undefined;
}

const RANGE_LABELS: Record<(typeof RANGES)[number], string> = {
  today: 'Today',
  yesterday: 'Yesterday',
  '7d': '7 days',
  '30d': '30 days',
};

type Filter = Record<string, string | undefined>;

export function renderOverview({ overview, reconciliations, schemaChecks, agentName, isSetUp }: OverviewPage): Html {
  const { range, zone, steps } = overview;
  const link = (filter: Filter = {}, step?: number) => {
    const [from, until] = step === undefined ? [range.from, range.until] : [steps[step] ?? 0, steps[step + 1] ?? 0];
    const entries = Object.entries({ from: writeMoment(from, zone), to: writeMoment(until, zone), ...filter });
    return `/calls?${new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))}`;
  };
  const labels = steps.slice(0, -1).map((at) => labelOf(at, overview));
  const chart = (title: string, kind: 'outcome' | 'result' | 'state', series: Overview['outcomes']) =>
    renderChart({
      ...{ title, kind, series, steps: labels, step: range.step === 'hour' ? 'Hour' : 'Day' },
      link: (step, name) => link({ [kind]: name }, step),
    });
  return html`<h1>Overview</h1>
${renderStops(overview.connections, overview.redis)}
${!isSetUp && html`<p class="notice note">No call was written yet. <a href="/setup">Set-up</a> leads to the first one, step by step.</p>`}
${renderRange(overview)}
${overview.tooMany && html`<p class="notice note">There are more clients than are counted together for so long. The numbers are those of the sources in wrapup.yaml itself: choose a client, or a shorter time.</p>`}
${renderTiles(overview, link)}
${overview.calls === 0 && overview.ended === 0 && html`<p class="empty">No call ended in this time.</p>`}
<div class="charts">
${chart('Calls by outcome', 'outcome', overview.outcomes)}
${chart('Deliveries by result', 'result', overview.results)}
${chart('Deliveries by state', 'state', overview.states)}
${renderStopped(overview, link)}
</div>
${renderSchemaChecks(schemaChecks)}
${renderReconciliations(reconciliations)}
${renderOmissions(overview, link)}
${renderAgents(overview, link, agentName)}
${renderJudgements(overview.judgements, agentName)}
${renderClients(overview)}
${renderConnections(overview.connections)}
${renderSources(overview)}`;
}

function labelOf(at: number, { zone, range }: Overview): { label: string; long: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, weekday: 'short', day: 'numeric', month: 'short' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  }).formatToParts(at);
  const part = (wanted: string) => parts.find(({ type }) => type === wanted)?.value ?? '';
  const [weekday, date, time] = [
    part('weekday'),
    `${part('day')} ${part('month')}`,
    `${part('hour')}:${part('minute')}`,
  ];
  if (range.step === 'hour') return { label: time, long: `${weekday} ${date}, ${time}` };
  const isWeek = range.until - range.from <= 8 * DAY_MS;
  return { label: isWeek ? `${weekday} ${part('day')}` : date, long: `${weekday} ${date}` };
}

function renderRange({ range, zone }: Overview): Html {
  const [first, last] = [writeMoment(range.from, zone).slice(0, 10), writeMoment(range.until - 1, zone).slice(0, 10)];
  return html`<div class="ranges"><nav class="tabs" aria-label="Time">${RANGES.map((name) =>
    name === range.name
      ? html`<a href="/?range=${name}" aria-current="page">${RANGE_LABELS[name]}</a>`
      : html`<a href="/?range=${name}">${RANGE_LABELS[name]}</a>`,
  )}</nav>
<form class="filter days" method="get" action="/"><label>From<input type="date" name="from" value="${first}" required></label><label>To<input type="date" name="to" value="${last}" required></label><button>Show</button></form>
<p class="zone">By the end of the call, on the clock of ${zone}</p></div>`;
}

function renderTiles(overview: Overview, link: (filter?: Filter) => string): Html {
  const { calls, connected, found, ended, landed, median, p95, now } = overview;
  return html`<ul class="tiles">
${tile(link(), count(calls, 'call'), found > 0 && `${found.toLocaleString('en-US')} of them not by webhook`)}
${tile(link({ outcome: 'connected' }), html`<b>${showShare(connected, calls)}</b> reached a person`, html`${count(connected, 'call')}`)}
${tile(link({ state: 'written' }), html`<b>${showShare(landed, ended)}</b> landed`, html`${landed.toLocaleString('en-US')} of ${count(ended, 'delivery', 'deliveries')}`)}
${tile(link({ state: 'written' }), html`<b>${showTime(median)}</b> from webhook to record`, p95 !== undefined && html`19 of 20 within ${showTime(p95)}`)}
${tile('/parked', html`<b>${now.parked.toLocaleString('en-US')}</b> parked now`, now.parked > 0 ? 'wait for a person' : 'nothing waits for a person', now.parked > 0 ? 'parked' : '')}
${tile('/dead', html`<b>${now.dead.toLocaleString('en-US')}</b> dead now`, now.dead > 0 ? 'given up by the system' : 'nothing was given up', now.dead > 0 ? 'dead' : '')}
${tile('/calls?state=queued', html`<b>${now.underWay.toLocaleString('en-US')}</b> on the way`, 'deliveries that wait or are being written')}
</ul>`;
}

function tile(href: string, main: HtmlPart, more: HtmlPart, kind = ''): Html {
  const text = typeof main === 'string' ? html`<b>${main.split(' ')[0]}</b> ${main.split(' ')[1]}` : main;
  return html`<li><a href="${href}" class="${kind}">${text}${more && html`<span class="more">${more}</span>`}</a></li>`;
}

function renderStopped({ stopped }: Overview, link: (filter?: Filter) => string): Html {
  return html`<section class="chart"><h2>Did not land</h2>${
    stopped.length === 0
      ? html`<p class="empty">Every delivery of this time landed, or is on its way.</p>`
      : html`<table class="plain"><thead><tr><th scope="col">State</th><th scope="col">Reason</th><th scope="col">Deliveries</th></tr></thead>
<tbody>${stopped.map(
          ({ state, code, count: number }) =>
            html`<tr><td>${renderChip(state)}</td><td>${spoken(code) || 'unknown'}</td><td class="number"><a href="${link({ state, code })}">${number.toLocaleString('en-US')}</a></td></tr>`,
        )}</tbody></table>`
  }</section>`;
}

function renderOmissions({ omissions }: Overview, link: (filter?: Filter) => string): Html {
  return html`<section><h2><a href="/omissions">Left out</a></h2>${
    omissions.length === 0
      ? html`<p class="empty">No field was left out.</p>`
      : html`<div class="wide"><table><thead><tr><th scope="col">Field</th><th scope="col">Connection</th><th scope="col">Why</th><th scope="col">Calls</th></tr></thead>
<tbody>${omissions.map(
          (line) =>
            html`<tr><td><code>${nameOmitted(line)}</code></td><td>${line.connection}</td><td class="why">${line.reason}</td><td class="number" data-label="Calls"><a href="${link({ line: line.id })}">${line.calls.toLocaleString('en-US')}</a></td></tr>`,
        )}</tbody></table></div>`
  }</section>`;
}

const MOST_AGENTS = 20;

function renderAgents(
  { agents }: Overview,
  link: (filter?: Filter) => string,
  nameOf: OverviewPage['agentName'],
): HtmlPart {
  if (agents.length === 0) return false;
  const row = ({ source, agent_id, calls, connected, results }: AgentCount) => {
    const known = agent_id !== '' && agent_id !== 'other';
    const name = known
      ? (nameOf(source, agent_id) ?? html`<code>${agent_id}</code>`)
      : html`<span class="none">${agent_id || 'not named'}</span>`;
    const ofAgent = { source, agent: agent_id || undefined };
    return html`<tr><th scope="row">${name}</th><td data-label="Source">${source}</td><td class="number" data-label="Calls"><a href="${link(ofAgent)}">${calls.toLocaleString('en-US')}</a></td>
<td class="number" data-label="Reached"><a href="${link({ ...ofAgent, outcome: 'connected' })}">${showShare(connected, calls)}</a></td>
<td data-label="Results">${results.slice(0, 4).map((one) => html`<a href="${link({ ...ofAgent, result: one.name })}">${spoken(one.name)} ${one.count.toLocaleString('en-US')}</a> `)}</td></tr>`;
  };
  return html`<section><h2>Agents</h2><div class="wide"><table><thead><tr><th scope="col">Agent</th><th scope="col">Source</th><th scope="col">Calls</th><th scope="col">Reached</th><th scope="col">Results</th></tr></thead>
<tbody>${agents.slice(0, MOST_AGENTS).map(row)}</tbody></table></div>${agents.length > MOST_AGENTS && html`<p class="none">and ${agents.length - MOST_AGENTS} more</p>`}</section>`;
}

function renderClients({ clients }: Overview): HtmlPart {
  if (clients.length < 2) return false;
  return html`<section><h2>Clients</h2><div class="wide"><table><thead><tr><th scope="col">Client</th><th scope="col">Calls</th><th scope="col">Parked</th><th scope="col">Dead</th></tr></thead>
<tbody>${clients.map(
    ({ client, calls, parked, dead }) =>
      html`<tr><th scope="row">${client === '' ? html`<code>wrapup.yaml</code>` : html`<a href="/?client=${client}">${client}</a>`}</th>${Object.entries({ Calls: calls, Parked: parked, Dead: dead }).map(([label, number]) => html`<td class="number" data-label="${label}">${number.toLocaleString('en-US')}</td>`)}</tr>`,
  )}</tbody></table></div></section>`;
}

function renderConnections(connections: readonly ConnectionReport[]): HtmlPart {
  if (connections.length === 0) return false;
  const row = ({ connection, circuit, operator, waiting, active, delayed, daily }: ConnectionReport) => {
    const paused = circuit === 'open' || operator !== undefined;
    const used = daily && daily.limit - daily.remaining;
    return html`<tr><th scope="row"><a href="/connections">${connection}</a></th><td>${paused ? renderChip('parked', 'paused') : renderChip('written', 'running')}</td>
<td class="number" data-label="On the way">${(waiting + active + delayed).toLocaleString('en-US')}</td>
<td data-label="Daily quota used">${daily && used !== undefined ? html`<meter min="0" max="${daily.limit}" high="${daily.limit * 0.8}" value="${used}" aria-label="Daily quota used"></meter> ${showShare(used, daily.limit)} of ${daily.limit.toLocaleString('en-US')}` : html`<span class="none">not reported</span>`}</td>
<td data-label="At this rate">${daily?.used_up_at !== undefined ? html`<strong>used up</strong> ${renderTime(daily.used_up_at)}` : daily?.hourly !== undefined ? `${Math.round(daily.hourly).toLocaleString('en-US')} an hour: it lasts` : html`<span class="none">not known yet</span>`}</td></tr>`;
  };
  return html`<section><h2>Connections</h2><div class="wide"><table><thead><tr><th scope="col">Connection</th><th scope="col">State</th><th scope="col">On the way</th><th scope="col">Daily quota used</th><th scope="col">At this rate</th></tr></thead>
<tbody>${connections.map(row)}</tbody></table></div></section>`;
}

function renderSources({ webhooks }: Overview): HtmlPart {
  if (webhooks.size === 0) return false;
  return html`<section><h2>Sources</h2><div class="wide"><table><thead><tr><th scope="col">Source</th><th scope="col">Last webhook</th></tr></thead>
<tbody>${[...webhooks].map(
    ([source, at]) =>
      html`<tr><th scope="row"><a href="/calls?source=${source}">${source}</a></th><td data-label="Last webhook">${at === undefined ? html`<span class="none">none yet</span>` : renderTime(at)}</td></tr>`,
  )}</tbody></table></div></section>`;
}
