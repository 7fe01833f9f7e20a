/**
 * How a call was judged: `analysis` in webhooks, `judge_results` in the REST list. Values are strings in mixed case, on
 * paper also booleans and null. https://docs.synthflow.ai/post-call-webhook
 */
import { AGGREGATES, type Analysis, CRITERIA, REMARK } from '@wrapup/call';
import { cleanText, dictionary, isRefusedKey, keysOf, readObject, readText } from '../parse/json.ts';
import type { Notes } from '../parse/notes.ts';
import { plainWord } from './statuses.ts';

/** Every spelling of a judgement, one row each. */
const JUDGEMENTS: ReadonlyMap<string, string> = new Map([
  ['true', 'true'],
  ['false', 'false'],
  ['partial', 'partial'],
  ['not_applicable', 'not_applicable'],
  ['n/a', 'not_applicable'],
]);

const JUDGED: ReadonlySet<string> = new Set(
  [...CRITERIA, ...AGGREGATES.filter(({ text }) => !text)].map(({ name }) => name),
);

export function readAnalysis(value: unknown, path: string, notes: Notes): Analysis {
  const analysis = dictionary<string>();
  const members = readObject(value, path, notes);
  if (!members) return analysis;
  for (const key of keysOf(members, path, notes)) {
    const name = cleanText(key);
    const given = members[key];
    if (given === null || given === undefined || isRefusedKey(name)) continue;
    const text = typeof given === 'boolean' ? String(given) : readText(given);
    if (text === undefined) {
      if (typeof given !== 'string') notes.add(`${path}.${name}`, 'is neither text nor a judgement: left out');
      continue;
    }
    const judgement = name.endsWith(REMARK) ? undefined : JUDGEMENTS.get(plainWord(text));
    if (judgement !== undefined) analysis[name] = judgement;
    else if (JUDGED.has(name)) {
      analysis[name] = text.toLowerCase();
      notes.add(`${path}.${name}`, 'is none of true, false, partial, not_applicable: kept as it came, in lower case');
    } else analysis[name] = text;
  }
  return analysis;
}
