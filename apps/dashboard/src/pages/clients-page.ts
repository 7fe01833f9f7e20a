import { localName } from '@wrapup/call';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { ClientReport } from '../queries/clients.ts';
import { renderChip, renderTime } from './parts.ts';

/** Every client, and wrapup.yaml itself: calls of today, what waits for a person, and whether the file is in force. */
export function renderClients(clients: ClientReport[]): Html {
  return html`<h1>Clients</h1>
<p>Those that need a person come first. Each name leads to the calls of that client; <code>wrapup.yaml</code> stands for what is of none.</p>
${clients.length === 0 ? html`<p class="empty">There is none. A client of an agency has a file of its own, <code>clients/&lt;client&gt;.yaml</code> beside wrapup.yaml: <code>wrapup client add &lt;client&gt;</code> writes it, with the variables that it needs.</p>` : renderTable(clients)}`;
}

function renderTable(clients: ClientReport[]): Html {
  return html`<div class="wide"><table>
<thead><tr><th>Client</th><th>Calls today (UTC)</th><th>Parked</th><th>Dead</th><th>Paused</th><th>Last webhook</th><th>File</th></tr></thead>
<tbody>${clients.map(renderRow)}</tbody></table></div>`;
}

function renderRow({ client, state, errors, today, parked, dead, paused, last_webhook }: ClientReport): Html {
  // No page is narrowed to what is of no client.
  const link = (path: string, text: HtmlPart) =>
    client === undefined ? text : html`<a href="${path}?client=${client}">${text}</a>`;
  const number = (path: string, count: number) =>
    count > 0 ? link(path, renderChip(path.slice(1), count.toLocaleString('en-US'))) : '0';
  return html`<tr>
<td>${client === undefined ? html`<code>wrapup.yaml</code>` : link('/', client)}</td>
<td class="number">${today.toLocaleString('en-US')}</td>
<td class="number">${number('/parked', parked)}</td>
<td class="number">${number('/dead', dead)}</td>
<td>${paused.length > 0 && link('/connections', renderChip('parked', paused.map(localName).join(', ')))}</td>
<td class="when">${last_webhook === undefined ? html`<span class="none">none yet</span>` : renderTime(last_webhook)}</td>
<td>${state && renderFile(state, errors)}</td></tr>`;
}

type FileState = NonNullable<ClientReport['state']>;

const FILES: Record<FileState, readonly [chip: string, text: string]> = {
  current: ['written', 'current'],
  last_good: ['parked', 'has errors: what it said before is in force'],
  unusable: ['dead', 'has errors: webhooks are answered 503'],
  unconfigured: ['unrouted', 'unconfigured'],
};

function renderFile(state: FileState, errors: ClientReport['errors']): Html {
  const [chip, text] = FILES[state];
  return html`${renderChip(chip, text)}${
    errors.length > 0 &&
    html`<ul>${errors.map(
      ({ at, message, hint }) =>
        html`<li>${at && html`<code>${at.file}:${at.line}</code> `}${message}${hint && html` <span class="ago">${hint}</span>`}</li>`,
    )}</ul>`
  }`;
}
