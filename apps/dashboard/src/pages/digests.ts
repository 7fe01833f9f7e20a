/** The digests that are configured: when each goes out next, and what became of the last one. */
import { spoken } from '@wrapup/call';
import { type DigestSettings, formatTimeOfDay } from '@wrapup/config';
import type { DigestReport, DigestState } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { renderChip, renderTime } from './parts.ts';

export interface ShownDigest extends DigestReport {
  digest: Pick<DigestSettings, 'name' | 'client' | 'to' | 'every' | 'at' | 'time_zone'>;
}

/** Colours of chips that mean about the same. */
const CHIPS: Record<DigestState['state'], string> = { sent: 'written', retrying: 'queued', failed: 'dead' };

export function renderDigests(digests: readonly ShownDigest[]): Html {
  return html`<h2>Digests</h2>${
    digests.length === 0
      ? html`<p class="none">None is configured. <code>digests:</code> in wrapup.yaml has a summary of each day or week sent over a connection.</p>`
      : html`<div class="wide"><table><thead><tr><th scope="col">Digest</th><th scope="col">About</th><th scope="col">Sent to</th><th scope="col">When</th><th scope="col">Last</th><th scope="col">Next</th></tr></thead>
<tbody>${digests.map(renderDigest)}</tbody></table></div>`
  }`;
}

function renderDigest({ digest, next, last }: ShownDigest): Html {
  const { name, client, to, every, at, time_zone } = digest;
  const when = `${every === 'day' ? 'each day' : 'each week'} at ${formatTimeOfDay(at)}, ${time_zone}`;
  return html`<tr><td>${name}</td><td>${client ?? 'all calls'}</td><td>${to}</td><td>${when}</td><td class="why">${renderLast(last)}</td><td class="when">${renderTime(next)}</td></tr>`;
}

function renderLast(last: DigestState | undefined): HtmlPart {
  if (!last) return html`<span class="none">none was due yet</span>`;
  const { period, state, at, reason, code = '' } = last;
  return html`${renderChip(CHIPS[state], state)} ${period} ${renderTime(at)}${reason && html`<p class="hint"><b>${spoken(code)}</b> ${reason}</p>`}`;
}
