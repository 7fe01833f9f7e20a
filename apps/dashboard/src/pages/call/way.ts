import { isOmission } from '@wrapup/destination';
import {
  type DeliveryEntry,
  type DeliveryTiming,
  effectLabel,
  type LedgerEntry,
  RECEIVED_LABELS,
  type TimedRequest,
} from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import { count, renderDuration, renderRecord, renderTime } from '../parts.ts';

interface Event {
  /** Epoch ms. */
  at: number;
  what: HtmlPart;
  /** State whose colour it has. */
  kind?: string;
}

/**
 * What happened to a call, in the order in which it did, each with the time since the webhook.
 * @param timings of its deliveries by route, as long as they are kept
 */
export function renderWay(entry: LedgerEntry, timings: ReadonlyMap<string, DeliveryTiming>): Html {
  const steps = entry.deliveries.flatMap((delivery) => {
    const timing = timings.get(delivery.route);
    return timing ? stepsOf(delivery, timing, entry) : [];
  });
  const events = [...eventsOf(entry), ...steps].sort((a, b) => a.at - b.at);
  return html`<ol class="way">${events.map(
    ({ at, what, kind = '' }) =>
      html`<li class="${kind}"><span class="when">${renderTime(at)}${at > entry.received_at && html` <span class="after">+${span(at - entry.received_at)}</span>`}</span> <span>${what}</span></li>`,
  )}</ol>`;
}

function eventsOf(entry: LedgerEntry): Event[] {
  const { ended_at, received_at, received, revisions, deliveries, stopped, forgotten } = entry;
  const lasted = renderDuration(entry.duration);
  const events: Event[] = [
    {
      at: received_at,
      what: html`<b>Received</b> ${RECEIVED_LABELS[received] ?? received}${received === 'webhook' && ', kept and acknowledged'}`,
    },
  ];
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

/** How a delivery came to its end: what it waited for, and each request of the batch that it was sent in. */
function stepsOf(
  { route }: DeliveryEntry,
  { queued, taken, planned, batch }: DeliveryTiming,
  { received_at }: LedgerEntry,
) {
  const { sent, size, requests, more } = batch;
  const others = size > 1 ? `, with ${count(size - 1, 'other delivery', 'other deliveries')}` : '';
  const step = (at: number, what: HtmlPart): Event => ({ at, what, kind: 'step' });
  const trips = tripsOf(requests);
  return [
    step(
      queued,
      html`<b>Queued</b> on ${route}${queued > received_at && `, read and routed in ${span(queued - received_at)}`}`,
    ),
    step(taken, html`<b>Taken</b> by a worker, after ${span(taken - queued)} in the queue`),
    step(planned, html`<b>Plan made</b> in ${span(planned - taken)}`),
    step(sent, html`<b>Sent</b>${others}${sent > planned && `, after ${span(sent - planned)}`}`),
    ...requests.map((request, index) => step(request.at, renderRequest(request, trips[index] ?? 1))),
    ...(more > 0 ? [step(sent, `and ${count(more, 'request')} more`)] : []),
  ];
}

function renderRequest({ name, result, waited, took, status, retry_after }: TimedRequest, trip: number): Html {
  const facts = [
    `trip ${trip}`,
    status !== undefined && `answered ${status}`,
    took === undefined ? 'not sent' : `took ${span(took)}`,
    waited >= 1 && `waited ${span(waited)} for its share of the quota`,
    retry_after !== undefined && `asks to wait ${span(retry_after)}`,
  ].filter(Boolean);
  return html`Request <b>${name}</b>${result !== 'ok' && html`: <code>${result}</code>`} <span class="none">${facts.join(', ')}</span>`;
}

/** Which trip to the CRM each request belongs to: what goes out before the ones before it have answered goes along with them. */
function tripsOf(requests: readonly TimedRequest[]): number[] {
  const order = [...requests.entries()].sort(([, a], [, b]) => sentAt(a) - sentAt(b));
  const trips: number[] = [];
  let [trip, ends] = [0, Number.NEGATIVE_INFINITY];
  for (const [index, request] of order) {
    const at = sentAt(request);
    if (at >= ends) trip += 1;
    ends = Math.max(ends, at + (request.took ?? 0));
    trips[index] = trip;
  }
  return trips;
}

const sentAt = ({ at, waited }: TimedRequest) => at + waited;

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
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${Math.round(ms / 86_400_000)} d`;
}
