import { isOmission } from '@wrapup/destination';
import { type DeliveryEntry, effectLabel, type LedgerEntry, RECEIVED_LABELS } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { count, renderDuration, renderRecord, renderTime } from '../parts.ts';

interface Event {
  /** Epoch ms. */
  at: number;
  what: HtmlPart;
  /** State whose colour it has. */
  kind?: string;
}

/** What happened to a call, in the order in which it did, each with the time since the webhook. */
export function renderWay(entry: LedgerEntry): Html {
  const events = eventsOf(entry).sort((a, b) => a.at - b.at);
  return html`<ol class="way">${events.map(
    ({ at, what, kind = '' }) =>
      html`<li class="${kind}"><span class="when">${renderTime(at)}${at > entry.received_at && html` <span class="after">+${span(at - entry.received_at)}</span>`}</span> <span>${what}</span></li>`,
  )}</ol>`;
}

function eventsOf(entry: LedgerEntry): Event[] {
  const { ended_at, received_at, received, revisions, deliveries, stopped, forgotten } = entry;
  const lasted = renderDuration(entry.duration);
  const events: Event[] = [{ at: received_at, what: html`<b>Received</b> ${RECEIVED_LABELS[received] ?? received}` }];
  if (ended_at !== undefined)
    events.push({
      at: Math.min(ended_at, received_at),
      what: html`<b>The call ended</b>${lasted && ` after ${lasted}`}`,
    });
  revisions.forEach(({ at, effect }, index) => {
    if (index > 0) events.push({ at, what: html`<b>Came again</b>: ${effectLabel(effect, false)}` });
  });
  if (stopped)
    events.push({
      at: stopped.at,
      what: html`<b>Stopped</b> before its routes: ${stopped.reason}`,
      kind: stopped.state ?? 'dead',
    });
  for (const delivery of deliveries) events.push(...eventsOfDelivery(delivery));
  if (forgotten !== undefined) events.push({ at: forgotten, what: html`<b>Forgotten</b> on request` });
  return events;
}

function eventsOfDelivery(delivery: DeliveryEntry): Event[] {
  const { route, state, since, chosen, replayed, dropped } = delivery;
  const by = (who: string | undefined) => who && html` by ${who}`;
  const events: Event[] = [];
  if (chosen) events.push({ at: chosen.at, what: html`<b>Person chosen</b>${by(chosen.by)} for ${route}` });
  if (replayed) events.push({ at: replayed.at, what: html`<b>Replayed</b>${by(replayed.by)}: ${route}` });
  if (dropped)
    events.push({ at: dropped.at, what: html`<b>Dropped</b>${by(dropped.by)}: ${dropped.reason}`, kind: 'dropped' });
  else events.push({ at: since, what: renderEnd(delivery), kind: state });
  return events;
}

function renderEnd({ route, connection, state, code, records, attempts, requests, notes }: DeliveryEntry): HtmlPart {
  const spent = [
    attempts > 0 && count(attempts, 'attempt'),
    requests > 0 && count(Math.round(requests * 100) / 100, 'request'),
  ].filter(Boolean);
  const lost = notes.filter(isOmission).length;
  const words: Record<DeliveryEntry['state'], string> = {
    queued: 'On its way',
    written: 'Written',
    skipped: 'Nothing to write',
    parked: 'Parked',
    dead: 'Given up',
    dropped: 'Dropped',
  };
  return html`<b>${words[state]}</b> on ${route} to ${connection}${code && state !== 'written' && html`: ${code.replaceAll('_', ' ')}`}${records.length > 0 && html`: ${records.map((record, index) => html`${index > 0 && ', '}${renderRecord(record)} ${record.did}`)}`}${lost > 0 && html`, ${count(lost, 'field')} left out`}${spent.length > 0 && html` <span class="none">${spent.join(', ')}</span>`}`;
}

function span(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${Math.round(ms / 86_400_000)} d`;
}
