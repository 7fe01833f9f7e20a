/**
 * Record ids: 3 characters for the object, 12 for the record, 3 that make the whole safe where case is lost. Either form,
 * of 15 or of 18 characters, names the same record.
 */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECK = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
/** Between the object's prefix and the number of the record. */
const INSTANCE = 'gK0';

/** The id of 18 characters for one of 15. */
function lengthen(id: string): string {
  const checks = [0, 5, 10].map((from) => {
    const bits = [...id.slice(from, from + 5)].reduce(
      (sum, character, at) => sum + (/[A-Z]/.test(character) ? 1 << at : 0),
      0,
    );
    return CHECK[bits];
  });
  return id + checks.join('');
}

/** The id of 18 characters; undefined when the text is no id. */
export function normaliseId(given: unknown): string | undefined {
  if (typeof given !== 'string' || !/^[A-Za-z0-9]+$/.test(given)) return undefined;
  if (given.length === 15) return lengthen(given);
  if (given.length !== 18) return undefined;
  return lengthen(given.slice(0, 15)) === given ? given : undefined;
}

/** @param prefix of the object: `00Q` */
export function makeId(prefix: string, n: number): string {
  let rest = '';
  for (let left = n; left > 0; left = Math.floor(left / 62)) rest = BASE62[left % 62] + rest;
  return lengthen(`${prefix}${INSTANCE}${rest.padStart(9, '0')}`);
}

export const ORG_ID = makeId('00D', 1);
