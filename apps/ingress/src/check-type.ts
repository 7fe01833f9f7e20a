import { Refusal } from './refusal.ts';

const JSON_TYPE = /^(?:application|text)\/(?:[\w.+-]+\+)?json$/;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)"?/i;

/** Nearly every request, so no more is looked at. */
const USUAL = 'application/json';

/**
 * Whether the type is JSON in UTF-8, as RFC 8259 demands. A missing type is taken for it: the body will tell.
 * @throws Refusal `not-json-type`
 */
export function requireJson(type: string | undefined): void {
  if (type === undefined || type === USUAL) return;
  const bare = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (bare === '') return;
  if (!JSON_TYPE.test(bare)) throw new Refusal('not-json-type');
  const charset = CHARSET.exec(type)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    throw new Refusal('not-json-type', 'The charset must be utf-8.');
  }
}
