import type { AuditEntry } from './audit-entry.ts';

/** What an entry of the audit was done on, in words: `c-1 on sales-calls, was parked (ambiguous_person)`. */
export function describeAudited(entry: AuditEntry): string {
  const { call_id, route, source, connection, target, record, lasting, was, run, of_state, of, done, expired } = entry;
  const { step, filter, reason, hash } = entry;
  const parts: string[] = [];
  if (call_id !== undefined) parts.push(route === undefined ? call_id : `${call_id} on ${route}`);
  else if (route !== undefined) parts.push(`route ${route}`);
  else if (source !== undefined) parts.push(`source ${source}`);
  if (target !== undefined) parts.push(target);
  if (hash) parts.push(`hash ${hash.before ?? 'unknown'}, then ${hash.after ?? 'unknown'}`);
  if (call_id === undefined && connection !== undefined) parts.push(`connection ${connection}`);
  if (record !== undefined) parts.push(`record ${record}${lasting ? ', also for later calls' : ''}`);
  if (was) parts.push(`was ${was.state}${was.code === undefined ? '' : ` (${was.code})`}`);
  if (run !== undefined) parts.push(`run ${run}`);
  if (of_state !== undefined) parts.push(`${of_state}${describeFilter(filter)}`);
  if (step === 'ended') parts.push(`${done ?? 0} of ${of ?? 0} done${expired ? `, ${expired} expired` : ''}`);
  else if (of !== undefined) parts.push(`${of} of them`);
  if (reason) parts.push(`reason: ${reason}`);
  return parts.join(', ');
}

function describeFilter(filter: AuditEntry['filter']): string {
  if (!filter) return '';
  const { codes, since, until, ...places } = filter;
  const parts = Object.entries(places).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  if (codes) parts.push(`code ${codes.join('|')}`);
  if (since !== undefined) parts.push(`since ${new Date(since).toISOString()}`);
  if (until !== undefined) parts.push(`by ${new Date(until).toISOString()}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
