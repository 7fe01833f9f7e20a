import { parsePhone } from '@wrapup/call';

/**
 * True when one of the values is that number. Compared in full: numbers stored without a country are read as belonging to
 * that of the number sought.
 */
export function holdsPhone(values: Iterable<unknown>, e164: string): boolean {
  // Reading a number is slow, and most candidates of a big search are other people's.
  const tail = e164.slice(-6);
  for (const stored of values) {
    if (typeof stored !== 'string' || !stored.replace(/\D/g, '').includes(tail)) continue;
    if (parsePhone(stored, parsePhone(e164)?.country)?.e164 === e164) return true;
  }
  return false;
}
