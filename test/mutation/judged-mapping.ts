/** Mutants of mappings that change nothing a test could notice. */
import type { Judged } from './scopes.ts';

const PATH = 'packages/mapping/src/language/path.ts';
const PLACEHOLDERS = 'packages/mapping/src/language/placeholders.ts';
const PREDICATE = 'packages/mapping/src/language/predicate.ts';
const VALUE = 'packages/mapping/src/language/value.ts';
const FIELD_COUNTS = 'packages/mapping/src/model/field-counts.ts';
const WRITE_MODES = 'packages/mapping/src/model/write-modes.ts';
const OFFICE_HOURS = 'packages/mapping/src/time/office-hours.ts';
const ZONE = 'packages/mapping/src/time/zone.ts';
const DATES = 'packages/mapping/src/transforms/dates.ts';

export const JUDGED_MAPPING: readonly Judged[] = [
  {
    file: PATH,
    line: "const segment = name ? name[0] : index ? Number(index[1]) : (quoted?.[1] ?? quoted?.[2] ?? '');",
    instead: ['quoted[1]', 'quoted[2]'],
    why: 'What is neither a name nor a position is in quotes.',
  },
  {
    file: PLACEHOLDERS,
    line: "if (char === '{' && text[at + 1] === '{') return -1;",
    instead: ['at - 1'],
    why: 'The second of the two finds the first.',
  },
  {
    file: PLACEHOLDERS,
    line: 'if (close < 0) {',
    instead: ['close <= 0'],
    why: 'It is looked for behind the first character.',
  },
  {
    file: PREDICATE,
    line: 'if (!isList(value)) return undefined;',
    instead: ['false'],
    why: 'The schema has reported it, and there is no mapping.',
  },
  {
    file: PREDICATE,
    line: 'if (!conditions.every((one) => one !== undefined)) return undefined;',
    instead: ['false', 'conditions.some(one => one !== undefined)', 'true'],
    why: 'The condition that is none was reported, and there is no mapping.',
  },
  {
    file: PREDICATE,
    line: 'if (!isList(node)) return undefined;',
    instead: ['false'],
    why: 'The schema has reported it, and there is no mapping.',
  },
  {
    file: PREDICATE,
    line: 'return fits.every(Boolean)',
    instead: ['fits.some(Boolean)'],
    why: 'The value that does not fit was reported, and there is no mapping.',
  },
  {
    file: PREDICATE,
    line: '`${path?.text} is never "${wanted}"`,',
    instead: ['path.text'],
    why: 'Without a path no values are known.',
  },
  {
    file: VALUE,
    line: 'report.error(\'unknown-value\', `${path?.text} is never "${name}"`, key, suggest(name, values));',
    instead: ['path.text'],
    why: 'Without a path no values are known.',
  },
  {
    file: VALUE,
    line: "`the map says nothing of ${path?.text} ${missing.join(', ')}`,",
    instead: ['path.text'],
    why: 'Without a path no values are known.',
  },
  {
    file: FIELD_COUNTS,
    line: 'NAMES.set(reads, known);',
    instead: [';'],
    why: 'It only saves time.',
  },
  {
    file: WRITE_MODES,
    line: "if ((isOurs || write === 'if_newer') && call.watermark !== undefined && call.watermark > call.ended_at)",
    instead: ['true'],
    why: 'Nothing is later than what is not there.',
  },
  {
    file: WRITE_MODES,
    line: "if (write === 'forward') return decideForward(value, from, order ?? [], call);",
    instead: ['["Stryker was here"]'],
    why: 'No field has that value.',
  },
  {
    file: WRITE_MODES,
    line: "return next !== undefined && next > now ? { to: value } : { to: value, why: 'the CRM is as far, or further' };",
    instead: ['true'],
    why: 'What is not there is not greater.',
  },
  {
    file: WRITE_MODES,
    line: 'const isCounted = watermark !== undefined && wholeSeconds(watermark) >= wholeSeconds(ended_at);',
    instead: ['true'],
    why: 'What is not there is not greater.',
  },
  {
    file: WRITE_MODES,
    line: 'if (start >= 0 && end > start) whole = text.slice(0, start) + marked + text.slice(end + closing(key).length);',
    instead: ['end >= start'],
    why: 'A block does not end where it begins.',
  },
  {
    file: OFFICE_HOURS,
    line: 'return sorted.every(([from], index) => index === 0 || from >= (sorted[index - 1]?.[1] ?? 0));',
    instead: ['false', 'sorted[index - 1][1]'],
    why: 'No range begins before midnight, and of all but the first there is one before.',
  },
  {
    file: ZONE,
    line: 'if (KNOWN.size >= MOST_KEPT) KNOWN.clear();',
    instead: [';'],
    why: 'It only saves memory.',
  },
  {
    file: ZONE,
    line: "if (zone === 'UTC') return 0;",
    instead: ['false'],
    why: 'It only saves time: UTC is ahead of itself by nothing.',
  },
  {
    file: DATES,
    line: 'return compileDue(String(span), where)?.(readMoment(value, where) ?? Number.NaN) ?? NO_START;',
    instead: ['compileDue(String(span), where)(readMoment(value, where) ?? Number.NaN)'],
    why: 'What is no span was reported when the mapping was loaded.',
  },
];
