/** What is compared of two answers: status, names of headers, paths of keys with types and formats, codes and words. */
import type { RecordedAnswer } from './recordings.ts';

/** Members whose values are codes, which must be the same and not only of one type. */
const CODES = new Set([
  'category',
  'subCategory',
  'errorCode',
  'statusCode',
  'code',
  'error',
  'errorType',
  'policyName',
  'status',
  'success',
  'created',
]);

/** Members whose own members are named by the account and not by the vendor. */
const NAMED_BY_ACCOUNT = new Set(['properties', 'associations']);
const ALWAYS = new Set(['hs_object_id', 'createdate', 'lastmodifieddate', 'hs_createdate', 'hs_lastmodifieddate']);

/** Headers of what carries the answer. */
const CARRIED = new Set([
  'date',
  'connection',
  'keep-alive',
  'content-length',
  'server',
  'x-request-id',
  'transfer-encoding',
]);

const FORMATS: [name: string, form: RegExp][] = [
  ['moment with .000', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/],
  ['moment', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/],
  ['moment +0000', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/],
  ['date', /^\d{4}-\d\d-\d\d$/],
  ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
  ['url', /^https?:/],
  ['path', /^\/services\//],
  ['record id', /^(?=.*\d)[A-Za-z0-9]{18}$/],
  ['digits', /^\d+$/],
];

interface Facts {
  status: number;
  headers: Set<string>;
  /** Types by path: `body.results[].id` is `string digits`. */
  paths: Map<string, Set<string>>;
  /** `category = CONFLICT`, `says …`. */
  words: Set<string>;
}

function factsOf({ status, headers, body }: RecordedAnswer): Facts {
  const facts: Facts = {
    status,
    headers: new Set(Object.keys(headers).filter((name) => !CARRIED.has(name))),
    paths: new Map(),
    words: new Set(),
  };
  visit(facts, 'body', body, 'body');
  return facts;
}

function visit(facts: Facts, path: string, value: unknown, key: string): void {
  const types = facts.paths.get(path) ?? new Set();
  facts.paths.set(path, types.add(typeOf(value, path)));
  if (CODES.has(key) && (typeof value === 'string' || typeof value === 'boolean')) facts.words.add(`${key} = ${value}`);
  if (key === 'message' && typeof value === 'string') facts.words.add(`says ${wordsOf(value)}`);
  if (Array.isArray(value)) for (const item of value) visit(facts, `${path}[]`, item, `${key}[]`);
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value))
      visit(facts, `${path}.${NAMED_BY_ACCOUNT.has(key) && !ALWAYS.has(name) ? '*' : name}`, member, name);
}

function typeOf(value: unknown, path: string): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'string') return typeof value;
  const format = FORMATS.find(([, form]) => form.test(value))?.[0];
  const isAccounts = path.endsWith('.*') || /\.(properties|records\[\])\./.test(path);
  if (isAccounts) return format?.startsWith('moment') ? `string ${format}` : 'string';
  return format ? `string ${format}` : 'string';
}

/** Without what differs from record to record. */
function wordsOf(message: string): string {
  return message
    .replace(
      /\[\{.*\}\]/s,
      (details) =>
        `[${[...details.matchAll(/"(\w+)":/g)]
          .map(([, key]) => key)
          .slice(0, 4)
          .join(' ')}]`,
    )
    .replace(/^\S+ (?=is not a valid ID)/, 'ID ')
    .replace(/(is not accessible: )\w+/, '$1…')
    .replace(/'[^']*'|"[^"]*"/g, '…')
    .replace(/\b(?=\w*\d)[A-Za-z0-9]{15,18}\b/g, 'ID')
    .replace(/\d+/g, 'N');
}

/**
 * @param all answers of the same class: what one of them has is the vendor's own, though another lacks it
 * @returns what differs, each in a line
 */
export function differences(
  recorded: RecordedAnswer,
  given: RecordedAnswer,
  all: RecordedAnswer[],
  withHeaders: boolean,
): string[] {
  const [wanted, found, theirs] = [factsOf(recorded), factsOf(given), all.map(factsOf)];
  if (wanted.status !== found.status)
    return [`status ${wanted.status}, sandbox ${found.status}: ${[...found.words].join('; ').slice(0, 160)}`];
  const said: string[] = [];
  if (withHeaders) {
    for (const name of wanted.headers) if (!found.headers.has(name)) said.push(`header ${name} is missing`);
    for (const name of found.headers)
      if (!theirs.some(({ headers }) => headers.has(name))) said.push(`header ${name} is the sandbox's own`);
  }
  for (const [path, types] of wanted.paths) {
    const own = found.paths.get(path);
    if (own === undefined) said.push(`${path} is missing`);
    else if (!agree(types, own)) said.push(`${path} is ${list(types)}, sandbox ${list(own)}`);
  }
  for (const path of found.paths.keys())
    if (!theirs.some(({ paths }) => paths.has(path))) said.push(`${path} is the sandbox's own`);
  for (const word of wanted.words) if (!found.words.has(word)) said.push(`${word} is missing`);
  for (const word of found.words)
    if (!theirs.some(({ words }) => words.has(word))) said.push(`${word} is the sandbox's own`);
  return withoutInner(said);
}

/** Null stands in for any type; a text may look like a number in one answer and not in the other. */
function agree(wanted: Set<string>, own: Set<string>): boolean {
  const known = (types: Set<string>) => [...types].filter((type) => type !== 'null');
  const [left, right] = [known(wanted), known(own)];
  return left.length === 0 || right.length === 0 || right.every((type) => left.includes(type));
}

const list = (types: Set<string>) => [...types].sort().join(' or ');

/** What is missing with all that is in it is said once. */
function withoutInner(said: string[]): string[] {
  const outer = said
    .map((line) => /^(body\S*) is (missing|the sandbox's own)$/.exec(line))
    .filter((found) => found !== null);
  return said.filter((line) => {
    const [, path, what] = /^(body\S*) is (missing|the sandbox's own)$/.exec(line) ?? [];
    return !outer.some(
      ([, other, same]) =>
        path !== other && same === what && (path?.startsWith(`${other}.`) || path?.startsWith(`${other}[`)),
    );
  });
}
