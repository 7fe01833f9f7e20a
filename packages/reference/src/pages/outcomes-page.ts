/** docs/reference/outcomes.md: what every status and end reason means in each CRM, by running them through the presets. */
import { type Call, type Json, OUTCOMES } from '@wrapup/call';
import { KINDS } from '@wrapup/config';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import { END_REASON_PATTERNS, END_REASON_WORDS, normalise, STATUSES, samplePayload } from '@wrapup/synthflow/payload';
import { code, GENERATED, table } from './markdown.ts';

/** Fields of a call log that say how a call went, by kind, under the name that people see. */
const FIELDS: Record<string, Record<string, string>> = {
  hubspot: { hs_call_status: 'HubSpot status', hs_call_disposition: 'HubSpot outcome' },
  // The status of a call's task is always the one that the org closes tasks with.
  salesforce: { CallDisposition: 'Salesforce call result' },
};

/** HubSpot's own outcomes. https://developers.hubspot.com/docs/api-reference/latest/crm/activities/calls/guide */
const LABELS: Record<string, string> = {
  '9d9162e7-6cf3-4944-bf63-4dff82258764': 'Busy',
  'f240bbac-87c9-4f6e-bf70-924b57d47db7': 'Connected',
  'a4c4c377-d246-4b32-a13b-75a56a4cd0ff': 'Left live message',
  'b2cf5968-551e-4856-9783-52b3da59a7d0': 'Left voicemail',
  '73a0d17f-1163-4015-bdd5-ec830791da20': 'No answer',
  '17b47fee-58de-441e-a44c-c6300d46f273': 'Wrong number',
};

/** Seconds that a conversation lasts, where the row says nothing else. */
const TALKED = 60;

function call(status: string, reason: string, seconds: number): Call {
  const payload = samplePayload('connected', { status, end_call_reason: reason, duration: seconds });
  return normalise(payload as Json, { source: 'main' });
}

/** Every documented status with the reason that usually goes with it, then every reason of a call that was completed. */
export function outcomeRows(): { status: string; reason: string; seconds: number; call: Call }[] {
  const usual: Record<string, string> = { hangup_on_voicemail: 'voicemail', left_voicemail: 'voicemail_message_left' };
  const statuses = STATUSES.filter(({ known, status }) => known === 'documented' && status !== 'completed').map(
    ({ spelling }) => ({
      status: spelling,
      reason: usual[spelling] ?? 'undefined',
      seconds: spelling in usual ? 20 : 0,
    }),
  );
  const reasons = [
    ...END_REASON_WORDS.filter(({ listed }) => listed !== 'seen').map(({ word }) => word),
    ...END_REASON_PATTERNS.map(({ example }) => example),
  ];
  const completed = reasons.flatMap((reason) => [
    { status: 'completed', reason, seconds: TALKED },
    { status: 'completed', reason, seconds: 0 },
  ]);
  return [...completed, ...statuses].map((row) => ({ ...row, call: call(row.status, row.reason, row.seconds) }));
}

/** The call-log preset of a kind, compiled. */
export function callLogPreset(kind: string): CompiledMapping | undefined {
  const known = KINDS[kind];
  if (!known?.dialect.presets['call-log']) return undefined;
  return compileMapping({
    name: 'm.yaml',
    text: `extends: ${kind}/call-log\n`,
    dialect: known.dialect,
    readFile: () => undefined,
  }).mapping;
}

/** What a preset's call log says of a call, in the fields that tell how it went. */
export function verdict(kind: string, mapping: CompiledMapping, of: Call): string[] {
  const log = mapping.plan(of, 'r').records.find(({ name }) => name === 'call_log');
  return Object.keys(FIELDS[kind] ?? {}).map((property) => {
    const value = log?.fields.find(({ name }) => name === property)?.value;
    return value === undefined || value === null ? 'not set' : (LABELS[String(value)] ?? String(value));
  });
}

export function outcomesPage(): string {
  const kinds = Object.keys(FIELDS).flatMap((kind) => {
    const mapping = callLogPreset(kind);
    return mapping ? [{ kind, mapping }] : [];
  });
  const heads = kinds.flatMap(({ kind }) => Object.values(FIELDS[kind] ?? {}));
  const verdicts = (of: Call) => kinds.flatMap(({ kind, mapping }) => verdict(kind, mapping, of));
  const some = call('completed', 'human_goodbye', TALKED);
  return `${[
    '# What a call’s status means in the CRM',
    GENERATED,
    'Synthflow says how a call ended in a status and an end reason. Wrapup makes one outcome of the two and of the duration (`call.outcome`), and the presets turn the outcome into the CRM’s own words, in one table each: `call_log.fields` of the preset `call-log`, which the other presets extend and your mapping can change.',
    '## From outcome to CRM',
    table(
      ['`call.outcome`', ...heads],
      OUTCOMES.map((outcome) => [code(outcome), ...verdicts({ ...some, outcome })]),
    ),
    '## From status and end reason to outcome',
    '`completed` alone proves no human: the end reason is asked first, then whether the call had any length.',
    table(
      ['status', 'end reason', 'length', '`call.outcome`', 'answered by', ...heads],
      outcomeRows().map(({ status, reason, seconds, call: of }) => [
        code(status),
        code(reason),
        seconds > 0 ? `${seconds} s` : 'none',
        code(of.outcome),
        of.answered_by,
        ...verdicts(of),
      ]),
    ),
  ].join('\n\n')}\n`;
}
