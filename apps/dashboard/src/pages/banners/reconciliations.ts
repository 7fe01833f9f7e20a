import { formatDuration } from '@wrapup/config';
import type { ReconcileRun } from '@wrapup/recovery';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Reconciliation } from '../../queries/reconciliations.ts';
import { count, renderChip, renderTime } from '../parts.ts';

/** The last look for missed webhooks of each source; nothing when none looks. */
export function renderReconciliations(reconciliations: Reconciliation[]): HtmlPart {
  if (reconciliations.length === 0) return '';
  return html`<details class="reconciled"${reconciliations.some(isBad) && html` open`}>
<summary>Missed webhooks: ${reconciliations.map((one) => html`${one.source} ${renderVerdict(one)} `)}</summary>
<div class="wide"><table>
<thead><tr><th>Source</th><th>Last run</th><th>Listed</th><th>Known</th><th>Missing</th><th>Enqueued</th><th>Ended lately</th><th>Going on</th><th></th></tr></thead>
<tbody>${reconciliations.map(renderRow)}</tbody></table></div>
</details>`;
}

const isBad = ({ last }: Reconciliation) => last !== undefined && last.result !== 'complete';

function renderVerdict({ last, running }: Reconciliation): HtmlPart {
  if (!last) return running ? 'is running' : 'waits for its first run';
  if (last.result === 'failed') return renderChip('dead', 'failed');
  return [
    last.result === 'partial' ? renderChip('parked', 'partly') : '',
    html`${count(last.counts.missing, 'call')} missing, ${last.counts.enqueued.toLocaleString('en-US')} enqueued`,
  ];
}

function renderRow({ source, every, last, running }: Reconciliation): Html {
  const rhythm = every === undefined ? 'by hand' : `every ${formatDuration(every)}`;
  const now = running && html`<br>under way since ${renderTime(running.began)}`;
  if (!last) return html`<tr><td>${source}</td><td colspan="8">none yet, ${rhythm}${now}</td></tr>`;
  const { counts } = last;
  const numbers = [counts.listed, counts.known, counts.missing, counts.enqueued, counts.young, counts.unfinished];
  return html`<tr><td>${source}</td><td class="when">${renderTime(last.ended)}<br>${rhythm}${now}</td>
${numbers.map((number) => html`<td>${number.toLocaleString('en-US')}</td>`)}
<td>${renderTroubles(last)}</td></tr>`;
}

function renderTroubles({ troubles, result }: ReconcileRun): HtmlPart {
  if (troubles.length === 0) return renderChip('written', result);
  return troubles.map(
    ({ agent, call_id, message, hint }) =>
      html`<div>${agent && html`agent <code>${agent}</code>: `}${call_id && html`call <code>${call_id}</code>: `}${message}${hint && html` <span class="ago">${hint}</span>`}</div>`,
  );
}
