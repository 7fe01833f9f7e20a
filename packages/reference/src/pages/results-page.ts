/** docs/reference/results.md: what the presets derive as `my.result`, by running situations through them. */
import { type Call, emptyCall } from '@wrapup/call';
import { KINDS } from '@wrapup/config';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import { code, GENERATED, table } from './markdown.ts';
import { callLogPreset, verdict } from './outcomes-page.ts';

/** In the order in which the presets ask: the first that holds counts. */
export const SITUATIONS: readonly { result: string; says: string; changes: Partial<Call> }[] = [
  { result: 'voicemail', says: '`call.outcome` is `voicemail`', changes: { outcome: 'voicemail' } },
  { result: 'voicemail', says: 'or `voicemail_left`', changes: { outcome: 'voicemail_left' } },
  { result: 'not_reached', says: '`call.outcome` is `no_answer`', changes: { outcome: 'no_answer' } },
  { result: 'not_reached', says: 'or `busy`', changes: { outcome: 'busy' } },
  { result: 'failed', says: '`call.outcome` is `failed`', changes: { outcome: 'failed' } },
  { result: 'failed', says: 'or `canceled`', changes: { outcome: 'canceled' } },
  { result: 'spam', says: '`call.outcome` is `spam`', changes: { outcome: 'spam' } },
  { result: 'in_progress', says: 'the call is not over', changes: { outcome: 'in_progress' } },
  { result: 'do_not_call', says: '`vars.do_not_call` is yes', changes: { vars: { do_not_call: 'yes' } } },
  ended('do_not_call', 'do not call', 'Asked: do not call again'),
  {
    result: 'do_not_call',
    says: '`analysis.no_opt_out` is false',
    changes: { analysis: { no_opt_out: 'false' } },
  },
  { result: 'wrong_number', says: '`vars.wrong_number` is yes', changes: { vars: { wrong_number: true } } },
  ended('wrong_number', 'wrong number', 'Wrong number'),
  {
    result: 'booked',
    says: 'an action booked an appointment or moved it (`booking.status`)',
    changes: { booking: { status: 'booked' } },
  },
  { result: 'booked', says: '`vars.appointment_booked` is yes', changes: { vars: { appointment_booked: 'Yes' } } },
  ended('booked', 'appointment booked', 'Appointment booked by the agent'),
  {
    result: 'transferred',
    says: 'an action transferred the call and did not fail (`call.transferred_to`)',
    changes: { transferred_to: '+14155550123' },
  },
  { result: 'call_back', says: '`vars.wants_callback` is yes', changes: { vars: { wants_callback: true } } },
  ended('call_back', 'call back', 'Asked us to call back'),
  { result: 'not_interested', says: '`vars.interested` is no', changes: { vars: { interested: 'no' } } },
  { result: 'not_interested', says: '`vars.qualified` is no', changes: { vars: { qualified: false } } },
  ended('not_interested', 'not interested', 'Not interested'),
  { result: 'interested', says: '`vars.interested` is yes', changes: { vars: { interested: 'yes' } } },
  { result: 'interested', says: '`vars.qualified` is yes', changes: { vars: { qualified: true } } },
  { result: 'interested', says: '`analysis.opted_in` is true', changes: { analysis: { opted_in: 'true' } } },
  { result: 'connected', says: 'a person spoke with the agent, and nothing of the above is known', changes: {} },
  { result: 'unknown', says: 'nothing is known', changes: { outcome: 'unknown' } },
];

function ended(result: string, words: string, text: string) {
  const says = `\`custom_end_call_reason\` contains “${words}”`;
  return { result, says, changes: { end_reason: 'custom', end_reason_text: text } as const };
}

/** The call of a situation. */
export function situationCall(changes: Partial<Call>): Call {
  return emptyCall({ id: 'c-1', source: 'main', duration: 60, ...changes });
}

const HEADS: Record<string, string> = { hubspot: 'HubSpot outcome', salesforce: 'Salesforce call result' };

const compiled = new Map<string, CompiledMapping | undefined>();

/** What the call-log preset of a kind derives, with what a mapping that extends it says besides. */
export function resultOf(kind: string, of: Call, more = ''): string | undefined {
  const dialect = KINDS[kind]?.dialect;
  const text = `extends: ${kind}/call-log\ncall_log: { title: my.result }\n${more}`;
  const known = `${kind} ${more}`;
  if (dialect && !compiled.has(known))
    compiled.set(known, compileMapping({ name: 'm.yaml', text, dialect, readFile: () => undefined }).mapping);
  const mapping = compiled.get(known);
  const log = mapping?.plan(of, 'r').records.find(({ name }) => name === 'call_log');
  const title = dialect?.records.call_log?.words.title?.property;
  const value = log?.fields.find(({ name }) => name === title)?.value;
  return value === undefined || value === null ? undefined : String(value);
}

export function resultsPage(): string {
  const kinds = Object.keys(HEADS).flatMap((kind): [string, CompiledMapping][] => {
    const mapping = callLogPreset(kind);
    return mapping ? [[kind, mapping]] : [];
  });
  const rows = [...Map.groupBy(SITUATIONS, ({ result }) => result)].map(([result, situations]) => {
    const said = (kind: string, mapping: CompiledMapping) => [
      ...new Set(situations.map(({ changes }) => verdict(kind, mapping, situationCall(changes)).at(-1) ?? '')),
    ];
    const makes = situations.map(({ says }) => says).join('; ');
    return [code(result), makes, ...kinds.map(([kind, mapping]) => said(kind, mapping).join(', '))];
  });
  return `${[
    '# What a call came to: results',
    GENERATED,
    'The outcome says what the line did ([outcomes](outcomes.md)); the result what the call came to in terms of the business. The presets for HubSpot and Salesforce derive it as `my.result` from what Synthflow sends: collected variables, executed actions, end reasons and analysis. The outcome that people see in the CRM follows it.',
    '## What makes a result',
    'The presets ask in this order, and the first that holds counts: who asks not to be called is not “booked”. Where no person was spoken to, variables and judgements do not count, for a machine said what they are made of.',
    table(['`my.result`', 'what makes it', ...kinds.map(([kind]) => HEADS[kind] as string)], rows),
    'HubSpot has an outcome of its own for six things only. Where your account has more, name them: `call_log: { fields: { hs_call_disposition: { map: { booked: Meeting booked } } } }`. In Salesforce: `call_log: { outcome: { map: { booked: Meeting booked } } }`.',
    '## Saying it otherwise',
    'Read it anywhere in a mapping that extends a preset: in fields (`my.result`), texts (`{{ my.result | title_case }}`), tables and conditions.',
    EXAMPLES,
    'Results of your own may have any name; the call log files one that the preset does not know under what the line did, unless `define: disposition` says otherwise.',
    '## Facts that it is made of',
    FACTS,
  ].join('\n\n')}\n`;
}

const EXAMPLES = `\`\`\`yaml
extends: hubspot/call-log
define:
  # The agent collects its variables under other names: the cases replace those of the preset.
  result:
    cases:
      - { when: { path: vars.opt_out, equals: true }, is: do_not_call }
      - { when: { path: vars.signed_up, equals: true }, is: booked }
      - { when: { path: analysis.goal, equals: true }, is: interested }
    default: call.outcome
person:
  fields:
    hs_lead_status: { from: my.result, map: { booked: IN_PROGRESS, interested: OPEN }, default: null }
\`\`\``;

const FACTS = `| path | is |
| --- | --- |
| \`call.transferred_to\` | where the last transfer led that did not fail. Synthflow reports how each ended as \`return_value.status\`: \`transfer-success\`, or \`transfer-failed-…\` with a reason. A transfer that says nothing of its end counts: a cold one ends the call |
| \`booking.status\`, \`booking.starts_at\`, … | the appointment, from the answer of the agent's booking action, or of a custom action whose name says what it does (\`book_visit\`, \`reschedule_appointment\`, \`cancel_booking\`). The answer must name an id, a time, or that it was done; a look-up of free times is no booking. All paths: [the mapping language](mapping-language.md#paths) |

What an appointment becomes in the CRM, and how one that is moved or cancelled changes what is there: presets \`hubspot/appointment\` and \`salesforce/appointment\`.`;
