/** Names of people: what is one, and which part of it is the family name. Where that is a guess, it is not made. */

/** Words that stand where no name is known, one each, lower case. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'unknown',
  'unknown caller',
  'unknown name',
  'anonymous',
  'private',
  'restricted',
  'unavailable',
  'wireless caller',
  'n/a',
  'na',
  'none',
  'null',
  'nil',
  'undefined',
  'no name',
  'not provided',
  'not available',
  'redacted',
  'name',
]);

const HONORIFICS: ReadonlySet<string> = new Set(
  'mr mrs ms miss mx dr prof sir madam herr frau mme mlle señor señora signor signora'.split(' '),
);
/** Words that a family name may begin with. */
const PARTICLES: ReadonlySet<string> = new Set(
  'van von vom zu zur af av da das de del della den der di do dos du el al la le ter ten bin ibn'.split(' '),
);
const SUFFIXES: ReadonlySet<string> = new Set('jr sr ii iii iv phd md'.split(' '));
/** What companies' names end in: those are not taken apart. */
const COMPANIES: ReadonlySet<string> = new Set(
  'inc llc ltd limited corp corporation co company plc gmbh ag kg ohg ug sa sarl srl spa bv nv oy ab as aps'.split(' '),
);

export interface Name {
  name: string;
  first_name?: string;
  last_name?: string;
}

/** Longest text that is taken for a name. */
const MAX_LENGTH = 120;

/** @returns undefined for placeholders, redaction marks, numbers and whatever else holds no name */
export function readName(text: string): Name | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const name = text.replace(/\s+/g, ' ').trim();
  if (!/\p{L}/u.test(name) || isPlaceholder(name)) return undefined;
  return { name, ...split(name) };
}

function isPlaceholder(name: string): boolean {
  if (PLACEHOLDERS.has(name.toLowerCase()) || /redacted/i.test(name)) return true;
  // A whole text in brackets, or with a template's placeholder in it, was never filled in.
  return /^(?:\[.*\]|<.*>|\(.*\))$/.test(name) || /\{.*\}|@|:\/\//.test(name);
}

/**
 * One word is a first name, unless a title stands before it. `Last, First` is read as it is written. Of several words
 * the last is the family name, with the particles before it; a text with digits, a company, or a long one stays whole.
 */
function split(name: string): { first_name?: string; last_name?: string } {
  if (/\p{N}/u.test(name)) return {};
  const [before = '', after, ...more] = name.split(',').map((part) => part.trim());
  if (more.length > 0) return {};
  if (after !== undefined && after !== '' && !SUFFIXES.has(plain(after))) {
    const first = withoutTitles(after.split(' '));
    return before === '' || isCompany([after]) || first.length === 0 || first.length > 3
      ? {}
      : { first_name: first.join(' '), last_name: before };
  }
  const words = name.replaceAll(',', '').split(' ');
  const rest = withoutTitles(words);
  const titled = rest.length < words.length;
  if (rest.length === 0 || rest.length > 5 || isCompany(rest)) return {};
  if (rest.length === 1) return titled ? { last_name: rest[0] as string } : { first_name: rest[0] as string };
  const particle = rest.slice(1).findIndex((word) => PARTICLES.has(plain(word)));
  const hasSuffix = rest.length > 2 && SUFFIXES.has(plain(rest.at(-1) as string));
  const cut = particle < 0 ? rest.length - (hasSuffix ? 2 : 1) : particle + 1;
  return { first_name: rest.slice(0, cut).join(' '), last_name: rest.slice(cut).join(' ') };
}

function withoutTitles(words: string[]): string[] {
  const start = words.findIndex((word) => !HONORIFICS.has(plain(word)));
  return start < 0 ? [] : words.slice(start);
}

function isCompany(words: string[]): boolean {
  const last = words.at(-1) as string;
  return COMPANIES.has(plain(last)) && (words.length > 1 || last.includes('.'));
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('.', '');
}
