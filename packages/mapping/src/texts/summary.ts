/** The texts that a body can be made of by name. What is not known is not mentioned. */
import { ANALYSIS_KEYS, type Call, CRITERIA, REMARK } from '@wrapup/call';
import { truncate } from '@wrapup/findings';
import { formatDuration } from '../transforms/numbers.ts';
import { toTitleCase } from '../transforms/texts.ts';
import { toText } from '../values/found.ts';
import type { Piece } from './render.ts';
import type { BodyTemplate, TranscriptPolicy } from './templates.ts';

/** Variables that are listed, and characters that are shown of each. */
const MAX_VARIABLES = 60;
const LONGEST_VALUE = 500;
const LONGEST_NAME = 80;

const BREAK: Piece = { html: '<br>', plain: '\n' };

/** Total: a call with anything in it gives some text; with nothing to say, none. */
export function writeTemplate(template: BodyTemplate, transcript: TranscriptPolicy, call: Call): Piece[] {
  const sections = template === 'transcript' ? [] : [facts(call), variables(call), analysis(call)];
  sections.push(recording(call, transcript), spoken(call, transcript));
  return sections
    .filter((section) => section.length > 0)
    .flatMap((section, index) => (index === 0 ? section : [BREAK, BREAK, ...section]));
}

function facts(call: Call): Piece[] {
  return lines([
    ['Outcome', say(call.outcome, call.answered_by)],
    ['Direction', words(call.direction)],
    ['Duration', typeof call.duration === 'number' ? formatDuration(call.duration) : undefined],
    ['Agent', call.agent?.name],
    ['Ended by', ENDED_BY[call.end_reason]],
    ['End reason', call.end_reason_text],
    ['Error', call.error],
  ]);
}

/** Who or what ended the call, where that says more than the outcome does. */
const ENDED_BY: Partial<Record<Call['end_reason'], string>> = {
  human_ended: 'the person',
  agent_ended: 'the agent',
  human_cut_off: 'a lost connection',
  max_duration: 'the longest duration allowed',
  timeout: 'silence',
  custom: 'a condition of the agent',
  no_minutes: 'the account, which was out of minutes',
  rate_limited: 'the telephone provider’s limit',
};

function say(outcome: Call['outcome'], answered: Call['answered_by']): string | undefined {
  const text = words(outcome);
  // A machine behind a connected call, and a person behind a failed one, are worth a word.
  const usual = outcome === 'connected' ? 'human' : 'machine';
  return text && answered !== usual && (answered === 'human' || answered === 'machine')
    ? `${text} (answered by a ${answered === 'human' ? 'person' : 'machine'})`
    : text;
}

function variables(call: Call): Piece[] {
  return list('Collected', Object.entries(call.vars ?? {}));
}

const SAYS: Record<string, string> = { true: 'yes', partial: 'partly', false: 'no' };
const OPPOSITE: Record<string, string> = { true: 'false', false: 'true' };

/**
 * Judgements in sentences, each with its remark. What says something of the person is there whenever a person spoke; of the
 * agent's work only what did not go as it should: what went well fills no page.
 */
function analysis(call: Call): Piece[] {
  const judged = call.analysis ?? {};
  const known = new Map(CRITERIA.map((criterion) => [criterion.name, criterion]));
  const others = Object.keys(judged).filter((name) => !ANALYSIS_KEYS.includes(name) && !name.endsWith(REMARK));
  const said: [string, string][] = [];
  const add = (label: string, text: string) => {
    if (text !== '') said.push([label, text]);
  };
  let isRemarked = false;
  for (const name of [...known.keys(), ...others]) {
    const { label = name, inverted = false, of_person } = known.get(name) ?? {};
    const value = judged[name];
    const remark = trimmed(judged[`${name}${REMARK}`]);
    if (remark !== '') isRemarked = true;
    const worthIt = of_person && !inverted && call.outcome === 'connected';
    const isShown = value !== 'not_applicable' && (value !== 'true' || worthIt);
    add(label, [isShown ? judgement(value, inverted) : '', remark].filter(Boolean).join('. '));
  }
  // It repeats the remarks, where they are there.
  if (!isRemarked) add('Remarks', trimmed(judged.all_feedback));
  return list('Analysis', said);
}

/** Texts of a call are what a payload says: anything. */
const trimmed = (text: unknown) => (typeof text === 'string' ? text.trim() : '');

function judgement(value: string | undefined, inverted: boolean): string | undefined {
  const meant = (inverted ? OPPOSITE[`${value}`] : undefined) ?? value;
  return SAYS[`${meant}`] ?? meant;
}

function recording(call: Call, transcript: TranscriptPolicy): Piece[] {
  const url = String(call.recording_url);
  if (transcript === 'none' || !/^https?:\/\//i.test(url)) return [];
  return lines([['Recording', url]]);
}

const SPEAKERS: Record<string, string> = { agent: 'Agent: ', human: 'Caller: ' };

function spoken(call: Call, transcript: TranscriptPolicy): Piece[] {
  if (transcript !== 'full') return [];
  const turns = Array.isArray(call.turns) ? call.turns : [];
  const text =
    turns.length > 0
      ? turns.map(({ speaker, text }) => `${SPEAKERS[speaker] ?? ''}${text}`).join('\n')
      : call.transcript;
  if (typeof text !== 'string' || text.trim() === '') return [];
  return [heading('Transcript'), BREAK, { said: text }];
}

const words = (text: string | undefined) =>
  text ? toTitleCase(text).replace(/ (\p{Lu})/gu, (word) => word.toLowerCase()) : undefined;

function heading(text: string): Piece {
  return { html: `<strong>${text}</strong>`, plain: `${text}:` };
}

function lines(rows: [string, string | undefined][]): Piece[] {
  const known = rows.filter((row): row is [string, string] => trimmed(row[1]) !== '');
  return known.flatMap(([label, value], index) => [
    ...(index === 0 ? [] : [BREAK]),
    { html: `<strong>${label}:</strong> `, plain: `${label}: ` },
    { said: truncate(value, 2000) },
  ]);
}

function list(title: string, entries: [string, unknown][]): Piece[] {
  const rows = entries.slice(0, MAX_VARIABLES).flatMap(([name, value]): Piece[] => {
    const text = trimmed(toText(value as never));
    if (text === '') return [];
    const label = truncate(words(name) ?? name, LONGEST_NAME);
    return [BREAK, { said: `${label}: ${truncate(text, LONGEST_VALUE)}` }];
  });
  if (rows.length === 0) return [];
  const more = entries.length - MAX_VARIABLES;
  return [heading(title), ...rows, ...(more > 0 ? [BREAK, { said: `… and ${more} more` }] : [])];
}
