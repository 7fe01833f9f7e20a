/** What is read of one call when it is asked for: what was said, and what a route would make of it now. */
import type { Call } from '@wrapup/call';
import type { Plan } from '@wrapup/mapping';
import type { LedgerEntry } from '@wrapup/queue';
import { type Html, html } from '@wrapup/telemetry';
import type { PreviewAnswer } from '../../queries/ask-crm.ts';
import { linkToCall } from '../parts.ts';
import { renderPreview } from '../preview.ts';

const SPEAKERS = { agent: 'Agent', human: 'Caller', unknown: '' } as const;

export function renderTranscript(entry: LedgerEntry, call: Call): Html {
  const variables = Object.entries(call.vars);
  return html`${renderHead(entry, 'What was said')}
<p class="none">Read from the stored payload; the look is in the audit.</p>
${call.turns.length === 0 ? html`<p class="empty">The payload has no transcript.</p>` : html`<dl class="turns">${call.turns.map(({ speaker, text }) => html`<div class="${speaker}"><dt>${SPEAKERS[speaker]}</dt><dd>${text}</dd></div>`)}</dl>`}
${variables.length > 0 && html`<h2>Variables</h2><dl class="facts">${variables.map(([name, value]) => html`<div><dt><code>vars.${name}</code></dt><dd>${typeof value === 'string' ? value : JSON.stringify(value)}</dd></div>`)}</dl>`}`;
}

export interface CallPreview {
  route: string;
  connection: string;
  plan: Plan;
  /** What only a signature vouches for, and is not written. */
  withheld: readonly string[];
  answer: PreviewAnswer;
}

export function renderCallPreview(
  entry: LedgerEntry,
  { route, connection, plan, withheld, answer }: CallPreview,
): Html {
  return html`${renderHead(entry, 'What would change')}
<p>A replay on route ${route}, by mapping ${plan.mapping.name} as it is now, and what ${connection} holds now. Nothing is written; the look is in the audit.</p>
${withheld.length > 0 && html`<p class="next">Not written, as only a signature vouches for it: ${withheld.join(', ')}.</p>`}
${
  'failure' in answer
    ? html`<p class="notice bad" role="alert">The CRM could not be asked: ${answer.failure.message} <code>${answer.failure.code}</code>${answer.failure.hint && html`<br>${answer.failure.hint}`}</p>`
    : renderPreview(answer.preview, plan)
}`;
}

function renderHead({ source, call_id }: LedgerEntry, title: string): Html {
  return html`<h1>${title}</h1><p><a href="${linkToCall(source, call_id)}">Call <span class="id">${call_id}</span></a></p>`;
}
