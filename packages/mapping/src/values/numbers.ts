/**
 * Numbers and yes or no as payloads and people write them.
 *
 * A comma and a point mean opposite things in different countries. Where the mapping does not name the writing
 * (`number: de`), a text is read in the one way that makes sense of it. Three digits after a comma are thousands: a
 * fraction is not written so. Three digits after a single point are a fraction to a machine and thousands to half of Europe:
 * such a text counts as unclear, and is never guessed at.
 */
import { isScalar } from './found.ts';

/** Ways to write a number, by what stands before the fraction. `fr` and `ch` group by blanks and apostrophes, as all may. */
export const NUMBER_WRITINGS = { en: '.', de: ',', fr: ',', ch: '.' } as const;
export type NumberWriting = keyof typeof NUMBER_WRITINGS;

export function isNumberWriting(text: string): text is NumberWriting {
  return Object.hasOwn(NUMBER_WRITINGS, text);
}

/** A number that two writings read differently. */
export const UNCLEAR = 'unclear';

const FACTORS: [RegExp, number][] = [
  [/\s?(?:k|thousand|tausend|tsd\.?)$/i, 1e3],
  [/\s?(?:mn|mio\.?|millions?|millionen)$/i, 1e6],
  [/\s?(?:bn|mrd\.?|milliarden?)$/i, 1e9],
];
/** A thousand millions in English, a thousand times that in most other languages: only a named writing decides. */
const BILLION = /\s?billions?$/i;

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const MONEY_BEFORE = /^(?:([A-Z]{3})|\p{Sc})\s?/iu;
const MONEY_AFTER = /\s?(?:([A-Z]{3})|\p{Sc}|%|dollars?|euros?|pounds?|franken|francs?)$/iu;
/** Three letters stand for a currency only where there is one of that name. */
const withoutMoney = (whole: string, code: string | undefined) =>
  code !== undefined && !CURRENCIES.has(code.toUpperCase()) ? whole : '';

/** Characters of the longest text that is looked at. */
const LONGEST = 60;

/**
 * The number that a value is or spells: `12000`, `$12,000.50`, `1.200,50 €`, `12k`, `1.5 million`. Undefined for what is
 * none, `unclear` for what is one number in one country and another in the next.
 */
export function readNumber(value: unknown, writing?: NumberWriting): number | typeof UNCLEAR | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > LONGEST) return undefined;
  let bare = value.trim().replace(MONEY_BEFORE, withoutMoney).replace(MONEY_AFTER, withoutMoney);
  let factor = 1;
  const scale = FACTORS.find(([pattern]) => pattern.test(bare));
  if (scale) {
    bare = bare.replace(scale[0], '');
    factor = scale[1];
  } else if (BILLION.test(bare) && writing === 'en') {
    bare = bare.replace(BILLION, '');
    factor = 1e9;
  }
  const number = writing ? readAs(bare, NUMBER_WRITINGS[writing]) : readAny(bare);
  if (typeof number !== 'number') return number;
  // 1.1 million is 1100000, without what the processor adds to it.
  const whole = factor === 1 ? number : Number((number * factor).toPrecision(15));
  return Number.isFinite(whole) ? whole : undefined;
}

const THOUSANDS_BY_POINT = /^[-+−]?[1-9]\d{0,2}\.\d{3}$/;
const FRACTION_OF_THREE = /^[-+−]?\d+,\d{3}$/;

function readAny(text: string): number | typeof UNCLEAR | undefined {
  if (THOUSANDS_BY_POINT.test(text)) return UNCLEAR;
  return readAs(text, '.') ?? (FRACTION_OF_THREE.test(text) ? undefined : readAs(text, ','));
}

/** @param decimal what stands before the fraction */
function readAs(text: string, decimal: '.' | ','): number | undefined {
  const [group, point] = decimal === '.' ? [',', '\\.'] : ['\\.', ','];
  const plain = new RegExp(`^[-+−]?(?:\\d+(?:${point}\\d+)?|${point}\\d+)$`);
  const grouped = new RegExp(`^[-+−]?[1-9]\\d{0,2}(?:[${group}\\s’']\\d{3})+(?:${point}\\d+)?$`);
  const machine = decimal === '.' && /^[-+−]?\d+(?:\.\d+)?[eE][-+]?\d{1,3}$/.test(text);
  if (!machine && !plain.test(text) && !grouped.test(text)) return undefined;
  const grouping = decimal === '.' ? /[,\s’']/g : /[.\s’']/g;
  return Number(text.replace(grouping, '').replace(',', '.').replace('−', '-'));
}

const TRUE: ReadonlySet<string> = new Set(['true', 'yes', 'y', '1', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'no', 'n', '0', 'off']);

/** True, false, and the words that mean them. */
export function readBoolean(value: unknown): boolean | undefined {
  if (!isScalar(value)) return undefined;
  const word = String(value).trim().toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}
