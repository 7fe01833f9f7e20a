import { HttpProblem } from '../http/http-problem.ts';

const JSON_TYPE = /^(?:application|text)\/(?:[\w.+-]+\+)?json$/;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)"?/i;

/** The type of nearly every request, for which the patterns are skipped. */
const USUAL = 'application/json';

/**
 * Requires JSON in UTF-8, as RFC 8259 does. A missing type counts as JSON: the body shows what it is.
 * @throws HttpProblem `not-json-type`
 */
export function requireJson(type: string | undefined): void {
  if (type === undefined || type === USUAL) return;
  const bare = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (bare === '') return;
  if (!JSON_TYPE.test(bare)) throw new HttpProblem('not-json-type');
  const charset = CHARSET.exec(type)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    throw new HttpProblem('not-json-type', 'The charset must be utf-8.');
  }
}
