import type { StoppedJob } from '@wrapup/queue';
import { type Html, html } from '../html.ts';
import { renderDrop, renderDropCall, renderReplay, renderReplayCall } from './actions.ts';
import { count, linkToCall, renderTime } from './parts.ts';

export interface StoppedPage {
  state: 'parked' | 'dead';
  jobs: StoppedJob[];
  /** In all; more than are shown when there are very many. */
  total: number;
}

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

export function renderStopped({ state, jobs, total }: StoppedPage): Html {
  const { title, what, none } = SAYS[state];
  if (jobs.length === 0) return html`<h1>${title}</h1><p class="empty">${none}</p>`;
  return html`<h1>${title}</h1>
<p>${what}${total > jobs.length && html` The first ${jobs.length} of ${count(total, 'delivery', 'deliveries')}.`}</p>
<div class="wide"><table>
<thead><tr><th>Since</th><th>Call</th><th>Route</th><th>Why, and what to do</th><th>Attempts</th><th><span class="hidden">Actions</span></th></tr></thead>
<tbody>${jobs.map((job) => renderRow(job, `/${state}`))}</tbody></table></div>`;
}

function renderRow(job: StoppedJob, back: string): Html {
  const { source, call_id, route } = job;
  return html`<tr>
<td class="when">${renderTime(job.since)}</td>
<td><a class="id" href="${linkToCall(source, call_id)}">${call_id}</a><br><span class="none">${source}</span></td>
<td>${route ? html`<span class="route">${route}</span><br><span class="none">to ${job.connection}</span>` : html`<span class="none">none yet</span>`}</td>
<td class="why"><code>${job.code}</code> ${job.reason}${job.hint && html`<p class="hint">${job.hint}</p>`}</td>
<td class="number">${job.attempts}</td>
<td class="buttons">${
    route
      ? html`${renderReplay({ source, call_id, route, back })}${renderDrop({ source, call_id, route, back })}`
      : html`${renderReplayCall({ source, call_id, back })}${renderDropCall({ source, call_id, back })}`
  }</td>
</tr>`;
}
