/** What the ledger keeps, as the API has it: times as ISO 8601, notes in words, and nothing that is only the workers' concern. */
import { type Config, type DigestSettings, formatTimeOfDay } from '@wrapup/config';
import { describeNote, hintOf as hintOfOmission } from '@wrapup/destination';
import {
  type AuditEntry,
  type BulkRun,
  type ConnectionReport,
  type DailyQuota,
  type DeliveryEntry,
  type DeliveryTiming,
  type DigestReport,
  describeTiming,
  hintOf,
  itemsOfRun,
  type LedgerEntry,
  type OmissionLine,
  type UnresolvedItem,
} from '@wrapup/queue';
import type { z } from 'zod';
import type { ClientReport } from '../queries/clients.ts';
import type { AUDITED, CLIENT, CONNECTION, DIGEST, OMISSION, QUOTA } from './installation-schemas.ts';
import type { CALL, DELIVERY_OF_CALL, RUN, UNRESOLVED } from './schemas.ts';

const iso = (at: number) => new Date(at).toISOString();

/** The object without what is undefined, as JSON would have it. */
function known<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}

const noted = <N extends { at: number }>(note: N | undefined) => (note ? { ...note, at: iso(note.at) } : undefined);

/** Of deliveries by route, where they are kept. */
type TimingsByRoute = ReadonlyMap<string, DeliveryTiming>;

export function callOf(entry: LedgerEntry, timings?: TimingsByRoute): z.input<typeof CALL> {
  const { source, call_id, received, received_at, verified, outcome, status, direction, agent_id, ended_at } = entry;
  const { routed, revisions, notes, deliveries, stopped, waiting, forgotten, forgotten_by } = entry;
  return known({
    ...{ source, call_id, received, received_at: iso(received_at), verified, outcome, status, direction, agent_id },
    ended_at: ended_at === undefined ? undefined : iso(ended_at),
    routed,
    revisions: revisions.map(({ hash, at, effect, verified: by }) =>
      known({ hash, at: iso(at), effect, verified: by }),
    ),
    notes,
    deliveries: deliveries.map((delivery) => deliveryOf(delivery, timings)),
    stopped:
      stopped &&
      known({ ...stopped, at: iso(stopped.at), state: stopped.state ?? 'dead', dropped: noted(stopped.dropped) }),
    waiting:
      waiting && known({ since: iso(waiting.since), code: waiting.code, reason: waiting.reason, hint: waiting.hint }),
    forgotten: forgotten === undefined ? undefined : known({ at: iso(forgotten), by: forgotten_by }),
  }) as z.input<typeof CALL>;
}

export function deliveryOfCall(
  { source, call_id }: LedgerEntry,
  delivery: DeliveryEntry,
  timings?: TimingsByRoute,
): z.input<typeof DELIVERY_OF_CALL> {
  return { source, call_id, ...deliveryOf(delivery, timings) };
}

function deliveryOf(delivery: DeliveryEntry, timings?: TimingsByRoute) {
  const { route, connection, state, since, attempts, replays, revision, requests, records, notes } = delivery;
  const { code, reason, correlation_id, candidates, candidate_urls: urls = {}, chosen, replayed, dropped } = delivery;
  const hint = state === 'parked' || state === 'dead' ? hintOf(delivery, state) : delivery.hint;
  const timing = timings?.get(route);
  return known({
    ...{ route, connection, state, since: iso(since), attempts, replays, revision, requests },
    records: records.map(({ name, object, id, did, url }) => known({ name, object, id, did, url })),
    notes: notes.map(describeNote),
    ...{ code, reason, hint, correlation_id },
    candidates: candidates?.map((id) => known({ id, url: urls[id] })),
    ...{ chosen: noted(chosen), replayed: noted(replayed), dropped: noted(dropped) },
    timing: timing && describeTiming(timing),
  }) as Omit<z.input<typeof DELIVERY_OF_CALL>, 'source' | 'call_id'>;
}

export function unresolvedOf({ cursor: _, ...item }: UnresolvedItem): z.input<typeof UNRESOLVED> {
  return item;
}

export function runOf(run: BulkRun): z.input<typeof RUN> {
  const { id, state, action, started, moved_at, ended, of, done, expired, moved, refused = 0, left = [], by } = run;
  return known({
    ...{ id, state, action, started: iso(started), moved_at: iso(moved_at) },
    ended: ended === undefined ? undefined : iso(ended),
    ...{ of: ended === undefined ? of : itemsOfRun(run), done, expired, moved, refused, left, by },
  }) as z.input<typeof RUN>;
}

export function connectionOf(report: ConnectionReport, config: Config): z.input<typeof CONNECTION> {
  const { connection, circuit, pause, operator, resumed, waiting, active, delayed, failed } = report;
  return known({
    ...{ connection, kind: config.connections[connection]?.kind ?? null, circuit },
    pause:
      pause &&
      known({
        ...{ cause: pause.cause, code: pause.code, reason: pause.reason, hint: pause.hint },
        ...{ since: iso(pause.since), next_probe: iso(pause.next_probe) },
      }),
    operator: operator && known({ since: iso(operator.since), reason: operator.reason, by: operator.by }),
    resumed: noted(resumed),
    ...{ waiting, active, delayed, failed },
    routes: config.routes.flatMap(({ name, to }) => (to === connection ? [name] : [])),
  }) as z.input<typeof CONNECTION>;
}

export function quotaOf(connection: string, daily: DailyQuota | undefined): z.input<typeof QUOTA> {
  if (!daily) return { connection, daily: null };
  const { limit, remaining, at, hourly, used_up_at } = daily;
  const until = used_up_at === undefined ? undefined : iso(used_up_at);
  return { connection, daily: known({ limit, remaining, at: iso(at), hourly, used_up_at: until }) as never };
}

export function digestOf(
  { name, client, to, every, at, time_zone, mapping }: DigestSettings,
  { next, last }: DigestReport,
): z.input<typeof DIGEST> {
  return known({
    ...{ name, client: client ?? null, to, every, at: formatTimeOfDay(at), time_zone },
    ...{ mapping: mapping.name, next: iso(next) },
    last: last && known({ ...last, at: iso(last.at) }),
  }) as z.input<typeof DIGEST>;
}

export function clientOfApi({
  client,
  state,
  errors,
  today,
  parked,
  dead,
  paused,
  last_webhook,
}: ClientReport): z.input<typeof CLIENT> {
  return known({
    ...{ client: client ?? null, state: state ?? null, errors: errors.length, today, parked, dead, paused },
    last_webhook: last_webhook === undefined ? undefined : iso(last_webhook),
  }) as z.input<typeof CLIENT>;
}

export function omissionOf(line: OmissionLine): z.input<typeof OMISSION> {
  const { id, connection, code, record, field, reason, at, calls, open, more, last, latest } = line;
  return known({
    ...{ id, connection, code, record, field, reason, hint: hintOfOmission(line), file: at.file, line: at.line },
    ...{ calls, open, more, last: iso(last), latest },
  }) as z.input<typeof OMISSION>;
}

export function auditedOf({ filter, ...entry }: AuditEntry): z.input<typeof AUDITED> {
  return { ...entry, at: iso(entry.at), ...(filter ? { filter: { ...filter } } : {}) };
}
