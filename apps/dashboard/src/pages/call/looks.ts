/** What is read of one call when it is asked for: what was said, and what a route would make of it now. */
import type { Call } from '@wrapup/call';
import { describeNote } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import type { DeliveryEntry, LedgerEntry } from '@wrapup/queue';
import { type Html, html } from '@wrapup/telemetry';
import type { PreviewAnswer } from '../../queries/ask-crm.ts';
import { linkToCall, renderFact, renderHash, renderRecord, renderTime } from '../parts.ts';
import { renderPreview } from '../preview.ts';

const WRITTEN_TITLE = 'What was written, and would change';

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
  /** As it stands, where the call has one on the route. */
  delivery?: DeliveryEntry | undefined;
}

export function renderCallPreview(
  entry: LedgerEntry,
  { route, connection, plan, withheld, answer, delivery }: CallPreview,
): Html {
  const isWritten = delivery?.state === 'written';
  return html`${renderHead(entry, isWritten ? WRITTEN_TITLE : 'What would change')}
${isWritten && renderWritten(delivery, plan)}
<p>A replay on route ${route}, by mapping ${plan.mapping.name} as it is now, and what ${connection} holds now. Nothing is written; the look is in the audit.</p>
${withheld.length > 0 && html`<p class="next">Not written, as only a signature vouches for it: ${withheld.join(', ')}.</p>`}
${
  'failure' in answer
    ? html`<p class="notice bad" role="alert">The CRM could not be asked: ${answer.failure.message} <code>${answer.failure.code}</code>${answer.failure.hint && html`<br>${answer.failure.hint}`}</p>`
    : renderPreview(answer.preview, plan, isWritten)
}`;
}

/** By which mapping the call was written, and what of it is not in the CRM. */
function renderWritten({ mapping, since, notes, records }: DeliveryEntry, plan: Plan): Html {
  const isSame = mapping === plan.mapping.hash;
  return html`<p class="next">${
    isSame
      ? html`Written ${renderTime(since)} by this very mapping: “The call says” is what was written, unless a line below says that it stays or was left out.`
      : html`Written ${renderTime(since)} by another version of the mapping${mapping && html`, ${renderHash(mapping)}`}: what it made of the call is not known any more. “The call says” is what the mapping of now makes of it; “Since then” goes by the digests of what was written.`
  }</p>
<dl class="facts">${renderFact('Records', records.length > 0 && html`<ul>${records.map((record) => html`<li>${record.name}: ${renderRecord(record)} <span class="none">${record.did}</span></li>`)}</ul>`)}
${renderFact('Kept, left out', notes.length > 0 && html`<ul>${notes.map((note) => html`<li>${describeNote(note)}</li>`)}</ul>`)}</dl>`;
}

function renderHead({ source, call_id }: LedgerEntry, title: string): Html {
  return html`<h1>${title}</h1><p><a href="${linkToCall(source, call_id)}">Call <span class="id">${call_id}</span></a></p>`;
}
