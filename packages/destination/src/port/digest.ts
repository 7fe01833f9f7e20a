/**
 * A digest: what a day or a week of calls came to. It goes through a mapping as a call does, which reads what it says as
 * variables: `vars.calls`, `vars.stopped_text`.
 */
import { emptyCall, type JsonObject } from '@wrapup/call';
import type { CompiledMapping, Plan } from '@wrapup/mapping';

/** Of a name: how many there were, and in the period before. */
export interface DigestCount {
  name: string;
  count: number;
  before: number;
  /** The calls behind it, on the dashboard. Absent where its address is not known, as of every other `link`. */
  link?: string;
}

export interface DigestAgent {
  /** As the source's `agents` names it, else its id; empty where the payload named none. */
  name: string;
  source: string;
  calls: number;
  connected: number;
  results: { name: string; count: number }[];
  /** What Synthflow judged: per cent of the calls that were judged so. */
  judged: { criterion: string; label: string; percent: number; of: number }[];
  link?: string;
}

/** All that a digest says. Names come from the configuration and from closed sets; none of it is personal. */
export interface DigestFacts {
  /** Name of the digest, as its own file has it. */
  name: string;
  every: 'day' | 'week';
  /** Empty: of the whole installation. */
  client: string;
  /** `2026-W48`, `2026-11-29`. */
  period: string;
  title: string;
  /** UTC, ISO 8601; up to, and not with, `until`. */
  from: string;
  until: string;
  time_zone: string;
  calls: number;
  calls_before: number;
  connected: number;
  connected_before: number;
  /** Per cent, one decimal; absent where there was no call. */
  connect_rate?: number;
  connect_rate_before?: number;
  /** Calls that did not come by webhook. */
  found: number;
  /** Deliveries that came to an end, and those of them that wait for nothing. */
  deliveries: number;
  landed: number;
  landed_rate?: number;
  landed_rate_before?: number;
  /** Seconds from the webhook to the record; absent where nothing was written. */
  median_seconds?: number;
  p95_seconds?: number;
  median_seconds_before?: number;
  p95_seconds_before?: number;
  outcomes: DigestCount[];
  results: DigestCount[];
  /** Deliveries that stopped, by why. */
  stopped: (DigestCount & { state: 'parked' | 'dead'; code: string })[];
  /** What waits now, whenever it came. */
  parked_now: number;
  dead_now: number;
  omissions: { field: string; connection: string; code: string; calls: number; link?: string }[];
  /** Of connections whose CRM tells of a daily quota: what was used of it when the digest was made. */
  quota: { connection: string; used: number; limit: number; percent: number }[];
  /** Connections that stand still when the digest was made. */
  paused: string[];
  agents: DigestAgent[];
  clients: { client: string; calls: number; parked: number; dead: number; link?: string }[];
  /** There are more clients than are counted together: only what belongs to none was counted. */
  too_many_clients: boolean;
  link?: string;
}

/** The same in words: one line or more each, and never empty. */
export interface DigestTexts {
  headline: string;
  text: string;
  calls_text: string;
  landed_text: string;
  outcomes_text: string;
  results_text: string;
  stopped_text: string;
  omissions_text: string;
  connections_text: string;
  agents_text: string;
  clients_text: string;
}

export type CallDigest = DigestFacts & DigestTexts;

/** What mappings of digests can read under `vars`, and what each is. */
export const DIGEST_VARIABLES: Readonly<Record<keyof CallDigest, string>> = {
  headline: 'whose digest it is, and of when',
  text: 'all of it, as lines of text',
  calls_text: 'how many calls there were, and how many reached a person',
  landed_text: 'how many deliveries landed, and how fast',
  outcomes_text: 'outcomes with their numbers, and how these changed',
  results_text: 'the same of results',
  stopped_text: 'what did not land, a line for each reason, and what waits now',
  omissions_text: 'fields that were left out, a line each',
  connections_text: 'connections that are paused, and quota used, a line each',
  agents_text: 'agents, a line each: calls, how many reached a person, how they were judged',
  clients_text: 'clients, a line each',
  name: 'name of the digest',
  every: '`day` or `week`',
  client: 'whose calls; empty: of the whole installation',
  period: '`2026-W48`, or `2026-11-29`',
  title: 'the period in words: `Week 48, 23 to 29 November 2026`',
  from: 'where the period begins, UTC',
  until: 'where it ends, UTC',
  time_zone: 'on whose clock',
  calls: 'calls that ended in the period',
  calls_before: 'those of the period before',
  connected: 'calls that reached a person',
  connected_before: 'those of the period before',
  connect_rate: 'per cent of the calls; absent where there was none',
  connect_rate_before: 'that of the period before',
  found: 'calls that did not come by webhook',
  deliveries: 'deliveries that came to an end',
  landed: 'those of them that were written or skipped',
  landed_rate: 'per cent; absent where there was none',
  landed_rate_before: 'that of the period before',
  median_seconds: 'within which half of them were written, from the webhook on; absent where none was written',
  p95_seconds: 'within which 19 of 20 were written',
  median_seconds_before: 'that of the period before',
  p95_seconds_before: 'that of the period before',
  outcomes: 'a list of `{ name, count, before, link }`',
  results: 'a list of `{ name, count, before, link }`',
  stopped: 'a list of `{ state, code, name, count, before, link }`',
  parked_now: 'calls that wait for a person when it is sent',
  dead_now: 'calls that were given up, when it is sent',
  omissions: 'a list of `{ field, connection, code, calls, link }`',
  quota: 'a list of `{ connection, used, limit, percent }`: of the day on which it is sent',
  paused: 'a list of names of connections',
  agents: 'a list of `{ name, source, calls, connected, results, judged, link }`',
  clients: 'a list of `{ client, calls, parked, dead, link }`, where the digest is of the installation',
  too_many_clients: '`true` where only calls of sources in wrapup.yaml itself could be counted',
  link: 'the overview of the period, where the address of the dashboard is known',
};

/**
 * The plan of a digest, for `write` of a destination.
 * @param subject full name of the digest
 * @param id of what is sent: a repeat under the same one has the same `webhook-id`
 */
export function planDigest(mapping: CompiledMapping, subject: string, id: string, digest: CallDigest): Plan {
  const vars = { ...digest } as unknown as JsonObject;
  return mapping.plan(emptyCall({ id, source: subject, ended_at: digest.until, vars }), 'digest');
}
