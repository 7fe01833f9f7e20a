import type { Finding } from '@wrapup/findings';
import type { SchemaCheckResult } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { count, renderChip, renderTime } from '../parts.ts';

/** Where mappings and accounts do not fit; nothing while they do. */
export function renderSchemaChecks(schemaChecks: SchemaCheckResult[]): HtmlPart {
  const wanting = schemaChecks.filter(({ findings, failed }) => findings.length > 0 || failed);
  if (wanting.length === 0) return '';
  return html`<details class="schema-checks" open>
<summary>Mappings and accounts: ${wanting.map((one) => html`${one.connection} ${renderVerdict(one)} `)}</summary>
<div class="wide"><table>
<thead><tr><th>Connection</th><th></th><th>Mapping line</th><th>What does not fit, and what to do</th></tr></thead>
<tbody>${wanting.flatMap(renderRows)}</tbody></table></div>
<p class="ago">Compared at start, every hour, and after <code>wrapup provision</code>. <code>wrapup doctor</code> compares now.</p>
</details>`;
}

function renderVerdict({ findings, failed }: SchemaCheckResult): HtmlPart {
  if (failed) return renderChip('parked', 'could not be asked');
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return errors > 0
    ? renderChip('dead', count(errors, 'error'))
    : renderChip('parked', count(findings.length, 'warning'));
}

function renderRows({ connection, at, findings, failed }: SchemaCheckResult): Html[] {
  const trouble: Finding[] = failed
    ? [
        {
          severity: 'warning',
          code: failed.code,
          message: failed.message,
          ...(failed.hint ? { hint: failed.hint } : {}),
        },
      ]
    : [];
  return [...trouble, ...findings].map(
    ({ severity, code, message, hint, at: place }) => html`<tr>
<td>${connection}<br><span class="when">${renderTime(at)}</span></td>
<td>${renderChip(severity === 'error' ? 'dead' : 'parked', severity)}</td>
<td>${place && html`<code>${place.file}:${place.line}</code>`}</td>
<td>${message} <code>${code}</code>${hint && html`<br><span class="ago">${hint}</span>`}</td></tr>`,
  );
}
