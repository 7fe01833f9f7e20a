import { spoken } from '@wrapup/call';
import { describeNote, hintOf, isOmission, nameOmitted, type Omission, type PersonRecord } from '@wrapup/destination';
import {
  type DeliveryEntry,
  type DeliveryTiming,
  type DropNote,
  effectLabel,
  jobOfDelivery,
  type LedgerEntry,
  RECEIVED_LABELS,
  VERIFIED_LABELS,
} from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Candidates } from '../queries/ask-crm.ts';
import {
  type ActionTarget,
  DROPPABLE,
  REPLAYABLE,
  renderChoose,
  renderDrop,
  renderLook,
  renderOpen,
  renderReplay,
} from './actions.ts';
import { renderWay } from './call/way.ts';
import {
  linkToCall,
  renderChip,
  renderDuration,
  renderFact,
  renderHash,
  renderLink,
  renderPersonRecord,
  renderRecord,
  renderTime,
} from './parts.ts';

export interface CallPageParts {
  entry: LedgerEntry;
  /** Hashes of the revisions whose bytes are still there. */
  kept: ReadonlySet<string>;
  /** The source is in the configuration. */
  configured: boolean;
  /** Why nothing is written to a connection now, by its name: only those that are paused. */
  pauses?: ReadonlyMap<string, string>;
  /** When its deliveries were queued, taken and sent, by route, as long as that is kept. */
  timings?: ReadonlyMap<string, DeliveryTiming>;
  /** Name of its agent, where wrapup.yaml has one. */
  agent?: string | undefined;
  /** Whom a parked delivery could be about, by its route. */
  candidates?: ReadonlyMap<string, Candidates>;
  /** The reader may see the queues, which are those of all clients. */
  queues?: boolean;
}

/** One call, explained: how it came, what became of it, and what to do. */
export function renderCall({
  entry,
  kept,
  configured,
  pauses,
  agent,
  candidates,
  timings,
  queues,
}: CallPageParts): Html {
  const explanation = explainCall(entry);
  const call = { source: entry.source, call_id: entry.call_id };
  return html`<h1>Call <span class="id">${entry.call_id}</span></h1>
<dl class="facts">
${renderFact('Source', html`${entry.source}${!configured && html` <span class="none">not in wrapup.yaml any more</span>`}`)}
${renderFact('Received', html`${renderTime(entry.received_at)}, ${RECEIVED_LABELS[entry.received] ?? entry.received}`)}
${renderFact('Verified', VERIFIED_LABELS[entry.verified] ?? entry.verified)}
${renderFact('Outcome', entry.outcome?.replaceAll('_', ' '))}
${renderFact('Status', entry.status)}
${renderFact('Direction', entry.direction)}
${renderFact('Duration', renderDuration(entry.duration))}
${renderFact('Agent', entry.agent_id && html`${agent && html`${agent} `}<code>${entry.agent_id}</code>`)}
${renderFact('Ended', entry.ended_at !== undefined && renderTime(entry.ended_at))}
${renderFact('Ignored', entry.ignored && `${entry.ignored.count} further revisions, beyond what is kept of one call`)}
${renderFact('Forgotten', entry.forgotten !== undefined && html`${renderTime(entry.forgotten)}${entry.forgotten_by && html` by ${entry.forgotten_by}`}: its payloads were removed, and nothing of it is stored again`)}
</dl>
${explanation && html`<p class="next">${explanation}</p>`}
${entry.stopped && renderStopped(entry, entry.stopped)}
<h2>What happened</h2>
${renderWay(entry, timings ?? new Map())}
${kept.size > 0 && configured && renderLook(call, 'transcript', 'Show what was said')}
<h2>Deliveries</h2>
${
  entry.deliveries.length === 0
    ? html`<p class="empty">None.</p>`
    : entry.deliveries.map((delivery) =>
        renderDelivery(entry, delivery, kept.has(delivery.revision), {
          pause: pauses?.get(delivery.connection),
          candidates: candidates?.get(delivery.route),
          job: queues ? jobOfDelivery(entry, delivery) : undefined,
        }),
      )
}
<h2>Revisions</h2>
<div class="wide"><table><thead><tr><th>Received</th><th>Revision</th><th>Effect</th><th>Payload</th></tr></thead><tbody>
${entry.revisions.map(
  ({ hash, at, effect }, index) => html`<tr><td class="when">${renderTime(at)}</td><td>${renderHash(hash)}</td>
<td>${effectLabel(effect, index === 0)}</td><td>${kept.has(hash) ? 'kept' : 'gone'}</td></tr>`,
)}
</tbody></table></div>
${entry.notes.length > 0 && html`<h2>Notes on the payload</h2><ul>${entry.notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
}

function renderStopped(entry: LedgerEntry, stopped: NonNullable<LedgerEntry['stopped']>): Html {
  const state = stopped.state ?? 'dead';
  const target = { source: entry.source, call_id: entry.call_id, back: linkToCall(entry.source, entry.call_id) };
  return html`<section class="delivery-box ${state}">
<h3>${renderChip(state, state === 'dead' ? 'stopped' : state)} before its routes</h3>
<dl class="facts">
${renderFact('Since', renderTime(stopped.at))}
${renderFact('Reason', html`<b>${spoken(stopped.code)}</b> ${stopped.reason}`)}
${renderFact('Dropped', renderDropNote(stopped.dropped))}
${renderFact('What to do', state !== 'dropped' && stopped.hint)}
</dl>
<div class="buttons">${renderReplay(target)}${stopped.state !== 'dropped' && renderDrop(target)}</div>
</section>`;
}

interface DeliveryContext {
  pause: string | undefined;
  candidates: Candidates | undefined;
  job: ReturnType<typeof jobOfDelivery>;
}

function renderDelivery(
  entry: LedgerEntry,
  delivery: DeliveryEntry,
  payloadKept: boolean,
  { pause, candidates, job }: DeliveryContext,
): Html {
  const target = {
    source: entry.source,
    call_id: entry.call_id,
    route: delivery.route,
    back: linkToCall(entry.source, entry.call_id),
  };
  const replay = payloadKept && REPLAYABLE.includes(delivery.state);
  const drop = DROPPABLE.includes(delivery.state);
  const named = new Set(delivery.records.map(({ id }) => id));
  const done = Object.entries(delivery.done ?? {}).filter(([, id]) => !named.has(id));
  const omissions = delivery.notes.filter(isOmission);
  const notes = delivery.notes.filter((note) => !isOmission(note));
  return html`<section class="delivery-box ${/^[a-z]+$/.test(delivery.state) ? delivery.state : ''}">
<h3>${renderChip(delivery.state)} ${delivery.route} <span class="to">to ${delivery.connection}</span></h3>
<p class="next">${whatNext(delivery, payloadKept)}</p>
${delivery.state === 'queued' && pause && html`<p class="next">${pause} <a href="/connections">Connections</a></p>`}
<dl class="facts">
${renderFact('Left out', omissions.length > 0 && renderOmissions(omissions))}
${renderFact('Since', renderTime(delivery.since))}
${renderFact('Dropped', renderDropNote(delivery.dropped))}
${renderFact(delivery.dropped ? 'Had stopped' : 'Reason', (delivery.code || delivery.reason) && html`${delivery.code && html`<b>${spoken(delivery.code)}</b> `}${delivery.reason}`)}
${renderFact('Could be', renderCandidates(delivery, candidates, payloadKept ? target : undefined))}
${renderFact('Chosen', delivery.chosen && html`${delivery.chosen.person}${delivery.chosen.by && html` by ${delivery.chosen.by}`}, ${renderTime(delivery.chosen.at)}`)}
${renderFact('What to do', delivery.state !== 'dropped' && delivery.hint)}
${renderFact('Records', delivery.records.length > 0 && html`<ul>${delivery.records.map((record) => html`<li>${record.name}: ${renderRecord(record)} <span class="none">${record.did}</span></li>`)}</ul>`)}
${renderFact('Begun', done.length > 0 && html`${done.map(([name, id]) => `${name} ${id}`).join(', ')} <span class="none">known to be written by an unfinished attempt</span>`)}
${renderFact('Result', delivery.result?.replaceAll('_', ' '))}
${renderFact('Attempts', html`${delivery.attempts}${delivery.replays > 0 && html`, replayed ${delivery.replays} ×`}${delivery.replayed && html`, the last by ${delivery.replayed.by}, ${renderTime(delivery.replayed.at)}`}`)}
${renderFact('Requests', delivery.requests > 0 && Math.round(delivery.requests * 100) / 100)}
${renderFact('Mapping', delivery.mapping && renderHash(delivery.mapping))}
${renderFact('Revision', renderHash(delivery.revision))}
${renderFact('Job', job && html`<a href="/queues/queue/${job.queue}/${job.id}">in the queue ${job.queue}</a>`)}
${renderFact('Trace', delivery.trace_id && html`<code>${delivery.trace_id}</code>`)}
${renderFact('For the CRM’s support', delivery.correlation_id && html`<code>${delivery.correlation_id}</code>`)}
${renderFact('Notes', notes.length > 0 && html`<ul>${notes.map((note) => html`<li>${describeNote(note)}</li>`)}</ul>`)}
</dl>
${(replay || drop) && html`<div class="buttons">${replay && renderReplay(target, { isMain: delivery.state !== 'written' && delivery.code !== 'ambiguous_person' })}${payloadKept && renderLook(target, 'preview', delivery.state === 'written' ? 'What was written, field by field' : 'What would change')}${payloadKept && renderOpen(target)}${drop && renderDrop(target)}</div>`}
</section>`;
}

function renderDropNote(dropped: DropNote | undefined): HtmlPart {
  return dropped && html`${renderTime(dropped.at)}${dropped.by && html` by ${dropped.by}`}: ${dropped.reason}`;
}

function renderOmissions(omissions: Omission[]): Html {
  return html`<ul>${omissions.map(
    (omission) =>
      html`<li><code>${nameOmitted(omission)}</code> ${omission.reason} <span class="none">${omission.at.file}:${omission.at.line}</span><p class="hint">${hintOf(omission)}</p></li>`,
  )}</ul>`;
}

/** Whom a parked delivery could be about: who they are, where the CRM was asked, and a button for each. */
function renderCandidates(
  { state, code, candidates: ids = [], candidate_urls: urls = {}, ambiguous }: DeliveryEntry,
  asked: Candidates | undefined,
  target: ActionTarget | undefined,
): HtmlPart {
  if (state !== 'parked' || ids.length === 0) return false;
  const people: (PersonRecord | { id: string })[] =
    asked && 'people' in asked ? asked.people : ids.map((id) => ({ id }));
  const button = (id: string) =>
    target && code === 'ambiguous_person' && html` ${renderChoose(target, id, ambiguous !== undefined)}`;
  return html`${asked && 'failure' in asked && html`<span class="none">The CRM could not be asked who they are: ${asked.failure.message}</span>`}<ul class="candidates">${people.map(
    (person) =>
      html`<li>${
        'object' in person
          ? html`${renderPersonRecord(person)}${button(person.id)}`
          : asked && 'people' in asked
            ? html`${person.id} <span class="none">is not there any more</span>`
            : html`${renderLink(person.id, urls[person.id])}${button(person.id)}`
      }</li>`,
  )}</ul>`;
}

/** Call ids are unique within a source only. */
export function renderChoice(entries: LedgerEntry[]): Html {
  return html`<h1>Which call?</h1><p>Several sources have a call of this id.</p><ul>${entries.map(
    ({ source, call_id, received_at }) =>
      html`<li><a href="${linkToCall(source, call_id)}">${source}</a>, received ${renderTime(received_at)}</li>`,
  )}</ul>`;
}

/** What happens next, or what to press. */
function whatNext(delivery: DeliveryEntry, payloadKept: boolean): string {
  switch (delivery.state) {
    case 'queued':
      return delivery.reason
        ? 'On its way: it waits and is tried again by itself. Nothing to do.'
        : 'On its way. Nothing to do.';
    case 'written':
      if (!delivery.notes.some(isOmission)) return 'Done. Nothing to do.';
      return payloadKept
        ? 'Written, without what is left out below. When that is fixed, press Replay: nothing is created twice, and what a colleague changed stays.'
        : 'Written, without what is left out below. The payload is gone, so that it cannot be replayed.';
    case 'skipped':
      return payloadKept
        ? 'A policy of the mapping said not to write. After changing the mapping, press Replay.'
        : 'A policy of the mapping said not to write. The payload is gone, so that it cannot be replayed.';
    case 'dropped':
      return payloadKept
        ? 'Given up by a person. Press Replay to try it after all.'
        : 'Given up by a person. The payload is gone, so that it cannot be replayed.';
    case 'parked':
      return payloadKept
        ? 'Waits for a person. Fix what the reason names, then press Replay; or Drop it.'
        : 'The payload is gone, so that a replay cannot write it: fetch the call again with `backfill --call` and its id, or Drop it.';
    case 'dead':
      return payloadKept
        ? 'Given up after its attempts. When the cause is fixed, press Replay; or Drop it.'
        : 'The payload is gone, so that a replay cannot write it: fetch the call again with `backfill --call` and its id, or Drop it.';
  }
}

/** The state of a call that has no deliveries to show. */
function explainCall(entry: LedgerEntry): string | undefined {
  if (entry.stopped?.state === 'parked')
    return 'The call waits for a person. When what the reason names is fixed, press Replay the call.';
  if (entry.stopped) return 'The call could not be read or routed. When the cause is fixed, press Replay the call.';
  if (entry.waiting) return `It waits and is tried again by itself: ${entry.waiting.reason}`;
  if (!entry.routed) return 'Received, and not read by a worker yet. If this stays, check that one runs.';
  if (entry.deliveries.length === 0) return 'No route matched, so nothing was written.';
  return undefined;
}
