/** Texts of queries and searches. Values are escaped; names come from the schema. Pure. */

/** A text in single quotes. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm */
export function quote(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `'${escaped}'`;
}

export function isIn(field: string, values: Iterable<string>): string {
  return `${field} IN (${[...values].map(quote).join(', ')})`;
}

export function select(object: string, fields: Iterable<string>, where: string): string {
  return `SELECT ${[...new Set(fields)].join(', ')} FROM ${object} WHERE ${where}`;
}

/** Characters that mean something in a search. https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-find.html */
const RESERVED = /[?&|!{}[\]()^~*:\\"'+-]/g;

export function escapeTerm(term: string): string {
  return term.replace(RESERVED, '\\$&');
}

/** A record id: 15 characters, or 18 with its checksum. */
export function isRecordId(text: string): boolean {
  return /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/.test(text);
}

const CHECKSUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * The 18 characters of an id, of which the last three say which of the first 15 are capitals.
 * https://help.salesforce.com/s/articleView?id=000385585&type=1
 */
export function longId(id: string): string {
  if (id.length !== 15) return id;
  const suffix = [0, 5, 10].map((start) => {
    let bits = 0;
    for (let at = 0; at < 5; at += 1) if (/[A-Z]/.test(id[start + at] ?? '')) bits += 1 << at;
    return CHECKSUM[bits];
  });
  return id + suffix.join('');
}
