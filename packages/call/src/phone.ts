import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** A telephone number that is valid somewhere. */
export interface Phone {
  /** `+14155550123`. */
  e164: string;
  /** As people of that country write it: `(415) 555-0123`. */
  national: string;
  /** National significant number, digits only: `4155550123`. What CRMs' phone searches compare. */
  digits: string;
  /** ISO 3166 alpha-2; absent for numbers of no one country (+800, satellite). */
  country?: string;
}

/**
 * Reads a number in any form a carrier, a person or a SIP header may give it.
 *
 * @param raw anything; what is not a possible number (`anonymous`, a short code, a SIP user) gives undefined
 * @param country ISO 3166 alpha-2 that a number without `+` is taken to belong to
 */
export function parsePhone(raw: unknown, country?: string): Phone | undefined {
  if (typeof raw !== 'string' && typeof raw !== 'number') return undefined;
  const text = String(raw)
    .trim()
    .replace(/^(?:sips?|tel):/i, '')
    .replace(/[@;].*$/s, '');
  if (text.length < 5 || text.length > 40) return undefined;
  const parse = (candidate: string) => {
    const phone = parsePhoneNumberFromString(candidate, { defaultCountry: country as CountryCode, extract: false });
    // "Possible" rather than "valid": numbering plans grow faster than libraries, and 555 numbers are test numbers.
    return phone?.isPossible() ? phone : undefined;
  };
  // Carriers drop the plus: digits that are no number of the default country are tried as an international one.
  const phone = parse(text) ?? (/^[1-9]\d{9,14}$/.test(text) ? parse(`+${text}`) : undefined);
  if (!phone) return undefined;
  return {
    e164: phone.number,
    national: phone.formatNational(),
    digits: phone.nationalNumber,
    ...(phone.country ? { country: phone.country } : {}),
  };
}
