/** What an event's request says. */
import { Failure } from '@wrapup/destination';
import type { FieldWrite, Plan, RecordPlan } from '@wrapup/mapping';
import { parseBodyPath, putInto } from './body-path.ts';
import {
  ALL,
  type DocumentPath,
  documentOf,
  EVERYTHING,
  LEAVE_OUT,
  omit,
  parsePaths,
  pick,
  SEND,
} from './call-document.ts';

export type Body = Record<string, unknown>;

/**
 * Same plan, same body, to the byte: retries must not look like changes.
 * @throws a mapping failure, which only a plan can cause that no compiler has checked
 */
export function bodyOf(plan: Plan, record: RecordPlan): Body {
  const body: Body = {};
  const [send, leaveOut] = [SEND, LEAVE_OUT].map((name) => record.fields.find((field) => field.name === name));
  const type = record.fields.find(({ name }) => name === 'type');
  if (type) body.type = type.value;
  if (send) {
    const { ended_at, started_at, received_at } = plan.call;
    const chosen = pick(documentOf(plan.call), send.value === EVERYTHING ? ALL : readPaths(send, record));
    const at = ended_at ?? started_at ?? received_at;
    if (at !== undefined) body.timestamp = at;
    body.data = leaveOut ? omit(chosen, readPaths(leaveOut, record)) : chosen;
  }
  for (const field of record.fields) {
    if (field === send || field === leaveOut || field === type) continue;
    const path = parseBodyPath(field.name);
    const problem = typeof path === 'string' ? path : putInto(body, path, field.value);
    if (problem) throw wrong(record, field, `the field ${field.name} ${problem}`);
  }
  return body;
}

function readPaths(field: FieldWrite, record: RecordPlan): DocumentPath[] {
  const paths = typeof field.value === 'string' ? parsePaths(field.value) : 'it is not a text';
  if (typeof paths === 'string') throw wrong(record, field, `${field.name.slice(1)} cannot be used: ${paths}`);
  return paths;
}

function wrong(record: RecordPlan, { name, at }: FieldWrite, what: string): Failure {
  return new Failure('mapping', `Event ${record.name}: ${what}.`, {
    record: record.name,
    field: name,
    at,
    hint: 'Correct the mapping, then replay.',
  });
}
