import type { Call } from '@wrapup/call';
import { DECISION_LABELS, type PersonRecord, type Preview, SAID_LABEL } from '@wrapup/destination';
import type { Place } from '@wrapup/findings';
import type { MatchStep, Plan, Value } from '@wrapup/mapping';
import type { ConnectionError } from '../connect/destinations.ts';
import { clean } from '../terminal/clean.ts';
import { count, type Output, when } from '../terminal/output.ts';

/** One route of `wrapup plan`. `preview` is absent under `--offline`, `error` says why the CRM could not be asked. */
export interface PlannedRoute {
  route: string;
  connection: string;
  kind: string;
  plan: Plan;
  /** What is not written because only a signature vouches for it: facts of the call, and records. */
  unproved: string[];
  preview?: Preview;
  error?: ConnectionError;
}

const MAX_VALUE_LENGTH = 120;

const showPlace = ({ file, line }: Place) => `${clean(file)}:${line}`;
const showValue = (value: Value | undefined) =>
  value === undefined || value === null ? '(nothing)' : clean(JSON.stringify(value), MAX_VALUE_LENGTH);

/** The call in one line, then what a person would want to check before looking at the records. */
export function showCall(call: Call, output: Output): string[] {
  const facts = [call.outcome, `answered by ${call.answered_by}`, call.direction ?? 'direction unknown'];
  if (call.duration !== undefined) facts.push(`${call.duration} s`);
  if (call.ended_at) facts.push(`ended ${when(Date.parse(call.ended_at))}`);
  const lines = [
    `${output.style('bold', `call ${clean(call.id)}`)} of source ${clean(call.source)}: ${facts.map((fact) => clean(fact)).join(', ')}`,
  ];
  const who = [call.lead.name, call.lead.phone ?? call.lead.phone_raw, call.lead.email].filter(
    (part) => part !== undefined,
  );
  lines.push(`  with ${who.length ? who.map((part) => clean(part)).join(', ') : 'an unknown person'}`);
  for (const { path, message } of call.notes)
    lines.push(output.style('dim', `  note ${clean(path)}: ${clean(message)}`));
  return lines;
}

export function showRoute(planned: PlannedRoute, output: Output): string[] {
  const { plan, preview, error } = planned;
  const lines = [
    '',
    `${output.style('bold', `route ${clean(planned.route)}`)} to ${clean(planned.connection)} (${planned.kind}), mapping ${clean(plan.mapping.name)} ${clean(plan.mapping.hash)}`,
  ];
  if (error) {
    lines.push(`  ${output.style('red', 'the CRM could not be asked:')} ${clean(error.message)} [${error.code}]`);
    if (error.hint) lines.push(`    ${clean(error.hint)}`);
  }
  lines.push(...(preview ? showPreview(preview, plan, output) : showOffline(plan, output)));
  const left = preview?.left_out ?? plan.left_out;
  if (left.length + planned.unproved.length > 0) lines.push('  left out');
  for (const what of planned.unproved)
    lines.push(output.style('dim', `    ${clean(what)}: only a signature vouches for it`));
  for (const { field, reason, at } of left)
    lines.push(output.style('dim', `    ${clean(field)}: ${clean(reason)}${at ? `  ${showPlace(at)}` : ''}`));
  if (preview) lines.push(`  would cost ${count(preview.requests, 'request')}; nothing was written`);
  return lines;
}

/** A way to find the person, and whether only speech vouches for it. */
const showStep = ({ by, said }: MatchStep) => (said ? `${by} (said)` : by);

/** Name, address, number and company of a person, and the link to the record. */
function showWho({ who = {}, url }: PersonRecord): string {
  const { name, email, phone, company } = who;
  const known = [name, email, phone, company].filter((part) => part !== undefined).map((part) => clean(part, 80));
  return `${known.length > 0 ? ` (${known.join(', ')})` : ''}${url ? ` ${clean(url)}` : ''}`;
}

function showPerson({ person: answer, decision, records, hint }: Preview, plan: Plan, output: Output): string[] {
  if (!plan.person) return [];
  const verdict = DECISION_LABELS[decision];
  const toDo = hint ? [`    to do     ${clean(hint)}`] : [];
  if (answer.found === 'one') {
    const { object, id } = answer.person;
    return [
      `  person    ${clean(object)} ${clean(id)}, found by ${answer.by}${showWho(answer.person)}: ${answer.said ? SAID_LABEL : verdict}`,
    ];
  }
  if (answer.found === 'none') {
    const tried = plan.person.match.map(showStep).join(', ');
    return [
      `  person    none found${tried ? ` by ${tried}` : ': the call has nothing to find one by'}: ${verdict}`,
      ...toDo,
    ];
  }
  const used = records.find(({ name }) => name === 'person')?.id;
  const isChosen = used !== undefined && plan.chosen?.some(({ id }) => id === used);
  const why = isChosen ? 'one was chosen by an operator' : `policy ${plan.person.ambiguous}`;
  const lines = [
    `  person    ${answer.candidates.length} found by ${answer.by}${answer.said ? ', which was only said' : ''}, ${why}: ${verdict}`,
  ];
  for (const candidate of answer.candidates) {
    const { object, id } = candidate;
    const verdict = used === undefined ? 'candidate' : id === used ? 'chosen   ' : 'not taken';
    const line = `    ${verdict} ${clean(object)} ${clean(id)}${showWho(candidate)}`;
    lines.push(used === undefined || id === used ? line : output.style('dim', line));
  }
  return [...lines, ...toDo];
}

function showPreview(preview: Preview, plan: Plan, output: Output): string[] {
  const lines = showPerson(preview, plan, output);
  for (const { name, object, id, did, fields } of preview.records) {
    const verb = output.style(did === 'create' ? 'green' : 'yellow', did);
    const links = plan.records.find((record) => record.name === name)?.associate ?? [];
    const linked =
      links.length > 0 && preview.decision !== 'log_only'
        ? `, linked to ${links.map((link) => clean(link)).join(', ')}`
        : '';
    lines.push(`  ${verb} ${clean(name)}: ${clean(object)}${id ? ` ${clean(id)}` : ''}${linked}`);
    for (const { field, label, from, to, from_shown, to_shown, write, applies, why, at } of fields) {
      const seen = { from: from_shown ?? from, to: to_shown ?? to, applies, why };
      const change = showChange(seen, did === 'create', output);
      const name = label ? `${clean(field)} (${clean(label)})` : clean(field);
      const line = `    ${name}: ${change}  ${output.style('dim', `${write} ${showPlace(at)}`)}`;
      lines.push(applies ? line : output.style('dim', line));
    }
  }
  return lines;
}

function showChange(
  { from, to, applies, why }: { from: Value | undefined; to: Value; applies: boolean; why: string | undefined },
  isNew: boolean,
  output: Output,
): string {
  if (isNew) return showValue(to);
  if (applies) return `${showValue(from)} ${output.style('green', '->')} ${showValue(to)}`;
  // What is there already need not be said twice.
  if (String(from ?? '') === String(to ?? '')) return `${showValue(from)} as it is`;
  return `${showValue(from)} stays, not ${showValue(to)}${why ? `: ${clean(why)}` : ''}`;
}

function showOffline(plan: Plan, output: Output): string[] {
  const lines: string[] = [];
  const field = ({ name, value, write, at }: { name: string; value: Value; write: string; at: Place }) =>
    `    ${clean(name)}: ${showValue(value)}  ${output.style('dim', `${write} ${showPlace(at)}`)}`;
  if (plan.person) {
    const { match, unmatched, ambiguous, fields } = plan.person;
    lines.push(
      `  person    by ${match.map(showStep).join(', ') || 'nothing: the call has nothing to find one by'}; unmatched: ${unmatched}, ambiguous: ${ambiguous}`,
      ...fields.map(field),
    );
  }
  for (const record of plan.records) {
    lines.push(`  record    ${clean(record.name)}: ${clean(record.object)}`, ...record.fields.map(field));
  }
  return lines;
}
