/** Plans made by hand, for tests of adapters: what a mapping would give for a simple call. */
import { createHash } from 'node:crypto';
import { type Call, emptyCall } from '@wrapup/call';
import type { Place } from '@wrapup/findings';
import type { FieldWrite, MatchStep, Plan, RecordPlan, Said, Value, WriteMode } from '@wrapup/mapping';

/** The CRM's own names for what a sample plan writes. */
export interface SampleNames {
  /** CRM objects. */
  call_log: string;
  task: string;
  /** What `create_as` says. */
  create_as: string;
  /** Properties of the person. */
  first_name: string;
  last_name: string;
  phone: string;
  email: string;
  /** A writable text property of the person. */
  note: string;
  /** Property that names the owner of a person and of a task. */
  owner: string;
  /** Title of the call log, subject of the task. */
  title: string;
  subject: string;
  /** Fields that the CRM demands of a call log and of a task. */
  call_log_extra: Record<string, Value>;
  task_extra: Record<string, Value>;
}

export interface SampleCall {
  /** Call id; unique in a test. */
  id: string;
  /** E.164. */
  phone?: string;
  email?: string;
  /** Which of the two were only said. */
  said?: ('phone' | 'email')[];
  /** What the mapping says of what was only said. */
  trust?: Said;
  /** Id of the person in the CRM, as the call may carry it. */
  person?: string;
  /** The id counts only if our own look-up gave it for this number (E.164). */
  issued_to?: string;
  first_name?: string;
  last_name?: string;
  title?: string;
  /** Default 2026-11-20T10:00:00Z. */
  ended_at?: string;
  unmatched?: NonNullable<Plan['person']>['unmatched'];
  ambiguous?: NonNullable<Plan['person']>['ambiguous'];
  /** With a follow-up task. Default true. */
  task?: boolean;
  /** Further fields of the person. */
  person_fields?: FieldWrite[];
  /** Further fields of the call log. */
  call_fields?: FieldWrite[];
  resume?: Plan['resume'];
  /** Whom an operator chose. */
  chosen?: Plan['chosen'];
}

export const SAMPLE_PLACE: Place = { file: 'mappings/sample.yaml', line: 1, column: 1 };

export function sampleField(name: string, value: Value, write: WriteMode = 'overwrite', line = 1): FieldWrite {
  return { name, value, write, at: { ...SAMPLE_PLACE, line } };
}

export function samplePlan(names: SampleNames, call: SampleCall): Plan {
  const ended = call.ended_at ?? '2026-11-20T10:00:00.000Z';
  const key = `main:${call.id}`;
  const said = call.trust === 'match' ? [] : (call.said ?? []);
  const given = {
    phone: said.includes('phone') ? undefined : call.phone,
    email: said.includes('email') ? undefined : call.email,
  };
  const heard = call.trust === 'ignore' ? {} : { phone: call.phone, email: call.email };
  const match = stepsOf(call, said);
  const known = given.phone ?? given.email ?? heard.phone ?? heard.email;
  const fields = [
    ...(call.first_name ? [sampleField(names.first_name, call.first_name, 'if_newer', 2)] : []),
    ...(call.last_name ? [sampleField(names.last_name, call.last_name, 'if_newer', 3)] : []),
    ...(call.phone ? [sampleField(names.phone, call.phone, 'if_empty', 4)] : []),
    ...(call.email ? [sampleField(names.email, call.email, 'if_empty', 5)] : []),
    ...(call.person_fields ?? []),
  ];
  const plan: Plan = {
    key,
    route: 'sample',
    mapping: { name: SAMPLE_PLACE.file, hash: '0123456789ab' },
    call: sampleCallRecord(call, ended),
    ended_at: ended,
    person: {
      match,
      ...(call.trust ? { said: call.trust } : {}),
      unmatched: call.unmatched ?? 'create',
      ambiguous: call.ambiguous ?? 'park',
      key: known === undefined ? null : `person:${createHash('sha256').update(known.toLowerCase()).digest('hex')}`,
      create_as: names.create_as,
      fields,
      ...(said.includes('email') && call.email ? { said_values: [call.email] } : {}),
      fallback: {
        name: call.first_name ?? `Caller ${call.phone ?? ''}`.trim(),
        ...definedOf({ ...heard, ...definedOf(given) }),
        ...(said.length > 0 && call.trust !== 'ignore' ? { said } : {}),
      },
    },
    records: [
      record('call_log', names.call_log, 'call_log', key, names.title, [
        sampleField(names.title, call.title ?? `Call ${call.id}`, 'if_ours', 6),
        ...Object.entries(names.call_log_extra).map(([name, value]) => sampleField(name, value)),
        ...(call.call_fields ?? []),
      ]),
      ...(call.task === false
        ? []
        : [
            record('task', names.task, 'call-back', `${key}:call-back`, names.subject, [
              sampleField(names.subject, `Call back ${call.id}`, 'if_ours', 7),
              ...Object.entries(names.task_extra).map(([name, value]) => sampleField(name, value)),
            ]),
          ]),
    ],
    left_out: [],
    needs: [],
    settle: () => plan,
    ...(call.resume ? { resume: call.resume } : {}),
    ...(call.chosen ? { chosen: call.chosen } : {}),
  };
  return plan;
}

function record(
  type: string,
  object: string,
  name: string,
  key: string,
  headline: string,
  fields: FieldWrite[],
): RecordPlan {
  return { type, object, name, key, headline, fields, associate: ['person'] };
}

/** Given values first, as mappings list them. */
function stepsOf({ person, issued_to, email, phone, trust }: SampleCall, said: string[]): MatchStep[] {
  const steps: MatchStep[] = [];
  if (person) steps.push({ by: 'id', value: person, ...(issued_to ? { issued_to } : {}) });
  const contacts = [
    ...(email ? [{ by: 'email', value: email } as const] : []),
    ...(phone ? [{ by: 'phone', value: phone } as const] : []),
  ];
  steps.push(...contacts.filter(({ by }) => !said.includes(by)));
  if (trust === 'ignore') return steps;
  return [
    ...steps,
    ...contacts.filter(({ by }) => said.includes(by)).map((step) => ({ ...step, said: true as const })),
  ];
}

function definedOf<Values extends object>(values: Values): { [Name in keyof Values]: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function sampleCallRecord({ id, phone, email }: SampleCall, ended: string): Call {
  const lead = { ...(phone ? { phone } : {}), ...(email ? { email } : {}) };
  return emptyCall({ id, source: 'main', ended_at: ended, lead });
}
