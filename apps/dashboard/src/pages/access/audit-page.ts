import { AUDIT_ACTIONS, type AuditEntry, describeAudited } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { linkToCall, renderSelect, renderTime } from '../parts.ts';

export interface AuditQuery {
  action?: AuditEntry['action'];
  by?: string;
  call_id?: string;
  /** A duration. */
  since?: string;
  /** Place after which the page begins. */
  after?: string;
}

export interface AuditPageParts {
  entries: AuditEntry[];
  next?: string | undefined;
  query: AuditQuery;
}

/** What operators did, newest first. */
export function renderAudit({ entries, next, query }: AuditPageParts): Html {
  const { action, by, call_id, since } = query;
  return html`<h1>Audit</h1>
<p>What operators did here, on the command line and through the API, kept as long as the ledger. <code>wrapup audit --json</code> exports all of it.</p>
<form class="filter" method="get" action="/audit">
${renderSelect('action', 'Action', AUDIT_ACTIONS, action)}
<label>Operator<input name="by" value="${by ?? ''}" autocomplete="off"></label>
<label>Call id<input name="call_id" value="${call_id ?? ''}" autocomplete="off"></label>
${renderSelect('since', 'In the last', ['1h', '24h', '7d', '30d'], since)}
<button>Show</button>
</form>
${entries.length === 0 ? html`<p class="empty">${Object.keys(query).length > 0 ? html`Nothing of the kind was done. <a href="/audit">Everything</a>` : 'Nothing was done yet. Replays, drops, pauses, looks into CRMs and payloads, and sign-ins appear here.'}</p>` : renderEntries(entries)}
${next !== undefined && html`<p><a href="/audit?${String(new URLSearchParams({ ...query, after: next }))}">Older</a></p>`}`;
}

function renderEntries(entries: AuditEntry[]): Html {
  return html`<div class="wide"><table><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">From</th><th scope="col">Did</th><th scope="col">On what</th><th scope="col">Client</th></tr></thead>
<tbody>${entries.map(
    (entry) =>
      html`<tr><td>${renderTime(entry.at)}</td><td>${entry.by}</td><td>${entry.via}, ${entry.from}</td><td>${entry.action}${entry.step && html` (${entry.step})`}</td><td>${renderTarget(entry)}</td><td>${entry.client}</td></tr>`,
  )}</tbody></table></div>`;
}

function renderTarget(entry: AuditEntry): HtmlPart {
  const { source, call_id } = entry;
  const text = describeAudited(entry);
  if (source === undefined || call_id === undefined) return text;
  return html`<a href="${linkToCall(source, call_id)}">${call_id}</a>${text.slice(call_id.length)}`;
}
