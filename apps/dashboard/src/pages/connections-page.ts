import { type ConnectionReport, describeCause, isPaused } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { MAX_REASON_LENGTH } from './actions.ts';
import { renderDigests, type ShownDigest } from './digests.ts';
import { count, renderChip, renderFact, renderTime } from './parts.ts';

export interface ConnectionsPage {
  connections: (ConnectionReport & { kind?: string })[];
  digests: readonly ShownDigest[];
}

/** Every connection: whether it is written to, why not, since when, what waits, and how far the quota of the day reaches; below, the digests that go over one. */
export function renderConnections({ connections, digests }: ConnectionsPage): Html {
  return html`<h1>Connections</h1>
<p>A connection that is broken stops itself, keeps its calls, is probed at growing intervals and resumes by itself. One that an operator paused waits for an operator.</p>
${connections.length === 0 && html`<p class="empty">There is none yet: <a href="/setup">Set-up</a> says how one is made.</p>`}
${connections.map(renderConnection)}
${renderDigests(digests)}`;
}

function renderConnection(report: ConnectionReport & { kind?: string }): Html {
  const { connection, kind, circuit, pause, operator, resumed, waiting, active, delayed, daily } = report;
  const paused = isPaused(report);
  const [chip, word] = paused
    ? ['parked', 'paused']
    : kind === undefined
      ? ['unrouted', 'unconfigured']
      : circuit === 'trial'
        ? ['queued', 'on trial']
        : ['written', 'running'];
  return html`<section class="delivery-box ${paused && 'parked'}">
<h2>${renderChip(chip as string, word)} ${connection} ${kind && html`<span class="to">${kind}</span>`}</h2>
<dl class="facts">
${renderFact('Why', circuit === 'open' && pause && html`<code>${pause.code}</code> It stopped itself: ${describeCause(pause)}`)}
${renderFact('What to do', circuit === 'open' && pause?.hint)}
${renderFact('Since', circuit === 'open' && pause && renderTime(pause.since))}
${renderFact('Next probe', circuit === 'open' && pause && html`${renderTime(pause.next_probe)}, after ${count(pause.tries, 'that failed', 'that failed')}`)}
${renderFact('Trial', circuit === 'trial' && 'A probe was answered; it counts as well when something is written, or nothing fails for a minute.')}
${renderFact('Paused by', operator && html`${operator.by ?? 'an operator'}, ${renderTime(operator.since)}${operator.reason && html`: ${operator.reason}`}`)}
${renderFact('Last resumed by', !operator && resumed && html`${resumed.by}, ${renderTime(resumed.at)}`)}
${renderFact('Deliveries', html`${waiting.toLocaleString('en-US')} waiting, ${active} being written, ${delayed.toLocaleString('en-US')} to be tried again`)}
${renderFact('Daily quota', daily && renderDaily(daily))}
${renderFact('Configuration', kind === undefined && 'It is not in wrapup.yaml any more; its deliveries are kept.')}
</dl>
<div class="buttons">${renderButtons(report)}</div>
</section>`;
}

function renderDaily({ limit, remaining, hourly, used_up_at }: NonNullable<ConnectionReport['daily']>): Html {
  const left = `${remaining.toLocaleString('en-US')} of ${limit.toLocaleString('en-US')} requests left`;
  if (hourly === undefined) return html`${left}`;
  const rate = `${Math.round(hourly).toLocaleString('en-US')} an hour, by all programs of the account`;
  return html`${left}; ${rate}${used_up_at !== undefined && html`. At this rate <strong>used up</strong> ${renderTime(used_up_at)}`}`;
}

function renderButtons({ connection, operator, circuit }: ConnectionReport): HtmlPart {
  const action = (name: string) => `/connections/${encodeURIComponent(connection)}/${name}`;
  const resume = operator
    ? html`<form method="post" action="${action('resume')}"><button class="primary">Resume</button></form>`
    : circuit === 'open' &&
      html`<form method="post" action="${action('resume')}"><button class="primary">Probe now</button></form>`;
  const pause =
    !operator &&
    html`<details class="drop"><summary>Pause…</summary>
<form method="post" action="${action('pause')}">
<label>Reason, shown beside the pause. No names, numbers or addresses.
<input name="reason" maxlength="${MAX_REASON_LENGTH}" autocomplete="off"></label>
<button class="danger">Pause ${connection}</button></form></details>`;
  return html`${resume}${pause}`;
}
