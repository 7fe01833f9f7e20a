import { isOmission, type ReceiptNote } from '@wrapup/destination';
import type { DeliveryEntry, DropNote, LedgerEntry } from '@wrapup/queue';
import { clean } from '../terminal/clean.ts';
import { ago, count, type Output, when } from '../terminal/output.ts';

const COLOURS = {
  queued: 'cyan',
  written: 'green',
  skipped: 'dim',
  parked: 'yellow',
  dead: 'red',
  dropped: 'dim',
} as const;

/** A state in its colour. */
function showState(state: DeliveryEntry['state'], output: Output): string {
  return output.style(COLOURS[state], state);
}

/** Why a delivery whose payload is gone cannot be replayed, and what helps. */
export function expired(callId: string): string {
  return `its payload has expired or was removed; wrapup backfill --call ${clean(callId)} fetches the call again`;
}

/** Why nothing is written to a connection now, by its name: only those that are paused. */
export type Pauses = ReadonlyMap<string, string>;

/** What happens next with a delivery, or what to do. */
export function nextStep(entry: Pick<LedgerEntry, 'call_id'>, delivery: DeliveryEntry, pauses?: Pauses): string {
  const { state, route } = delivery;
  const id = clean(entry.call_id);
  switch (state) {
    case 'queued': {
      const pause = pauses?.get(delivery.connection);
      if (pause) return `${clean(pause, 1000)} It continues when the pause ends; wrapup connections list says more.`;
      if (delivery.code) return 'It is retried automatically.';
      return delivery.attempts > 0 ? 'It is being written.' : 'It waits for a worker.';
    }
    case 'written':
      return delivery.notes.some(isOmission)
        ? `It was written without what the notes name. When that is fixed: wrapup replay ${id} --route ${route}`
        : 'Nothing to do.';
    case 'skipped':
      return 'The mapping says that nothing is to be written for such a call.';
    case 'dropped':
      return 'It was dropped; nothing more happens.';
    case 'parked':
    case 'dead':
      return [
        delivery.candidates && delivery.code !== 'ambiguous_record' && `wrapup plan ${id} shows who they are.`,
        delivery.candidates &&
          delivery.code === 'ambiguous_person' &&
          `wrapup parked choose ${id} --route ${route} --person <id> decides it for this call.`,
        delivery.hint && clean(delivery.hint),
        `Then: wrapup ${state} replay ${id} --route ${route}, or give it up: wrapup ${state} drop ${id} --route ${route} --reason "…"`,
      ]
        .filter(Boolean)
        .join(' ');
  }
}

/** Everything the ledger has of one call, for a person. @param agent the agent's name, where wrapup.yaml has one */
export async function explainCall(
  entry: LedgerEntry,
  output: Output,
  pauses?: Pauses,
  agent?: string,
): Promise<string[]> {
  // Imported here, as everything that loads the queue: other commands must not pay for it.
  const [{ effectLabel, RECEIVED_LABELS, VERIFIED_LABELS }, { describeNote }] = await Promise.all([
    import('@wrapup/queue'),
    import('@wrapup/destination'),
  ]);
  const bold = (text: string) => output.style('bold', text);
  const facts = [entry.status, entry.outcome && `outcome ${entry.outcome}`, entry.direction]
    .filter(Boolean)
    .map((fact) => clean(fact));
  const lines = [
    `${bold(`call ${clean(entry.call_id)}`)} of source ${clean(entry.source)}${facts.length ? `: ${facts.join(', ')}` : ''}`,
    `  received  ${when(entry.received_at)} (${ago(entry.received_at)}) ${RECEIVED_LABELS[entry.received] ?? clean(entry.received)}`,
    `  verified  ${VERIFIED_LABELS[entry.verified] ?? clean(entry.verified)}`,
  ];
  if (entry.ended_at !== undefined) lines.push(`  ended     ${when(entry.ended_at)}`);
  if (entry.agent_id)
    lines.push(`  agent     ${agent ? `${clean(agent)} (${clean(entry.agent_id)})` : clean(entry.agent_id)}`);
  for (const [index, revision] of entry.revisions.entries()) {
    const effect = clean(effectLabel(revision.effect, index === 0));
    lines.push(`  revision  ${revision.hash.slice(0, 12)} at ${when(revision.at)}: ${effect}`);
  }
  if (entry.ignored) {
    lines.push(`  ignored   ${count(entry.ignored.count, 'further revision')}, beyond what is kept of one call`);
  }
  for (const note of entry.notes) lines.push(`  note      ${clean(note)}`);
  if (entry.forgotten !== undefined) {
    const by = entry.forgotten_by ? ` by ${clean(entry.forgotten_by)}` : '';
    lines.push(
      `  forgotten ${when(entry.forgotten)}${by}: its payloads were removed, and nothing of it is stored again`,
    );
  }

  if (entry.stopped) {
    lines.push(
      '',
      `${output.style('red', 'stopped')}${entry.routed ? '' : ' before any route'}: ${clean(entry.stopped.reason)} [${clean(entry.stopped.code)}]`,
    );
    const state = entry.stopped.state ?? 'dead';
    lines.push(...explainDrop(entry.stopped.dropped));
    if (entry.stopped.hint && state !== 'dropped')
      lines.push(`  to do     ${clean(entry.stopped.hint)} Then: wrapup ${state} replay ${clean(entry.call_id)}`);
  } else if (entry.waiting) {
    const { since, reason, code, hint } = entry.waiting;
    lines.push('', `${output.style('cyan', 'waits')} since ${when(since)}: ${clean(reason)} [${clean(code)}]`);
    lines.push(`  next      It is retried automatically.${hint ? ` ${clean(hint)}` : ''}`);
  } else if (!entry.routed) {
    lines.push('', 'No worker has read it yet. If that stays so: is a worker running? (`wrapup connections list`)');
  } else if (entry.deliveries.length === 0) {
    lines.push('', 'No route matched it, so it is written nowhere. `wrapup plan` shows why.');
  }
  for (const delivery of entry.deliveries)
    lines.push('', ...explainDelivery(entry, delivery, output, describeNote, pauses));
  return lines;
}

function lastReplay(replayed: DeliveryEntry['replayed']): string {
  return replayed ? ` (the last by ${clean(replayed.by)}, ${ago(replayed.at)})` : '';
}

function explainDelivery(
  entry: LedgerEntry,
  delivery: DeliveryEntry,
  output: Output,
  describeNote: (note: ReceiptNote) => string,
  pauses?: Pauses,
): string[] {
  const { route, connection, state, since, attempts, replays, requests } = delivery;
  const lines = [
    `${output.style('bold', `route ${clean(route)}`)} to ${clean(connection)}: ${showState(state, output)} since ${when(since)} (${ago(since)})`,
  ];
  const spent = [count(attempts, 'attempt')];
  if (replays > 0) spent.push(`${count(replays, 'replay')}${lastReplay(delivery.replayed)}`);
  if (requests > 0) spent.push(count(Math.round(requests * 100) / 100, 'request'));
  if (delivery.mapping) spent.push(`mapping ${clean(delivery.mapping)}`);
  lines.push(`  spent     ${spent.join(', ')}`);
  for (const record of delivery.records) {
    const link = record.url ? `  ${clean(record.url)}` : '';
    lines.push(`  record    ${clean(record.name)}: ${clean(record.object)} ${clean(record.id)} ${record.did}${link}`);
  }
  for (const note of delivery.notes) lines.push(`  note      ${clean(describeNote(note), 1000)}`);
  lines.push(...explainDrop(delivery.dropped));
  for (const candidate of delivery.candidates ?? []) {
    const url = delivery.candidate_urls?.[candidate];
    lines.push(`  could be  ${clean(candidate)}${url ? `  ${clean(url)}` : ''}`);
  }
  if (delivery.chosen) {
    const { person, by, at } = delivery.chosen;
    lines.push(`  chosen    ${clean(person)}${by ? ` by ${clean(by)}` : ''} ${when(at)}`);
  }
  if (delivery.reason) {
    const support = delivery.correlation_id ? ` (the CRM's support asks for ${clean(delivery.correlation_id)})` : '';
    lines.push(`  reason    ${clean(delivery.reason, 1000)} [${clean(delivery.code ?? state)}]${support}`);
  }
  if (delivery.trace_id) lines.push(`  trace     ${clean(delivery.trace_id)}`);
  lines.push(`  next      ${nextStep(entry, delivery, pauses)}`);
  return lines;
}

function explainDrop(dropped: DropNote | undefined): string[] {
  if (!dropped) return [];
  const { at, by, reason } = dropped;
  return [`  dropped   ${when(at)}${by ? ` by ${clean(by)}` : ''}: ${clean(reason, 1000)}`];
}
