import {
  type CountryCode,
  isSupportedCountry,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

/** A telephone number that a person could be called back on. */
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
 * What carriers send for a withheld number: the word, spelled on a telephone's keys. Some of them are possible numbers,
 * and taking one for a number would make one person of all who withhold theirs.
 * https://support.twilio.com/hc/en-us/articles/223179988
 */
const WITHHELD: ReadonlySet<string> = new Set([
  '266696687', // ANONYMOUS
  '7378742833', // RESTRICTED
  '86282452253', // UNAVAILABLE
  '2562533', // BLOCKED
  '8656696', // UNKNOWN
  '8566696', // UNKNOWN, as Twilio spells it
  '7748283', // PRIVATE
]);

/** Longest text looked at: a name-addr SIP header with display name and parameters fits. */
const MAX_LENGTH = 256;
/** Below this many digits, country code included, only numbers that are valid for sure are taken: the rest are short codes. */
const MIN_DIGITS = 8;

/**
 * Reads a number in any form a carrier, a person or a SIP header may give it.
 *
 * Numbers are accepted when they are *possible*, not only when valid: numbering plans grow faster than libraries. Where
 * it has to be guessed what country they belong to, the valid reading wins.
 *
 * @param raw anything; what is no number (`anonymous`, a short code, a SIP user) gives undefined. Extensions are dropped
 * @param country ISO 3166 alpha-2 that a number without `+` is taken to belong to
 */
export function parsePhone(raw: unknown, country?: string): Phone | undefined {
  const text = bareNumber(raw);
  if (text === undefined) return undefined;
  const readings = readingsOf(text, country?.toUpperCase()).filter((phone) => phone !== undefined);
  const phone =
    readings.find((reading) => reading.isValid()) ??
    readings.find((reading) => reading.isPossible() && reading.number.length > MIN_DIGITS);
  if (!phone || WITHHELD.has(phone.number.slice(1)) || phone.number.length > 16) return undefined;
  return {
    e164: phone.number,
    // Few ask for it, and formatting takes an eighth of the time.
    get national() {
      return phone.formatNational();
    },
    digits: phone.nationalNumber,
    ...(phone.country ? { country: phone.country } : {}),
  };
}

/** Whether numbers can be taken to belong to the country. UK, for one, is no code but an alias of GB. @param code ISO 3166 alpha-2, in capitals */
export function isCountry(code: string): boolean {
  return isSupportedCountry(code);
}

/** The number part of a tel or SIP URI, of a SIP name-addr, or the text itself. */
function bareNumber(raw: unknown): string | undefined {
  if (typeof raw !== 'string' && typeof raw !== 'number') return undefined;
  if (typeof raw === 'number' && !Number.isSafeInteger(raw)) return undefined;
  const whole = String(raw);
  if (whole.length > MAX_LENGTH) return undefined;
  const text = (/<([^<>]*)>/.exec(whole)?.[1] ?? whole)
    .trim()
    .replace(/^(?:sips?|tel):/i, '')
    .replace(/%2b/i, '+')
    .replace(/[@;].*/s, '')
    .trim();
  if (text.length > 40) return undefined;
  return WITHHELD.has(text.replace(/\D/g, '')) ? undefined : text;
}

/** Every way to read it, the likeliest first. */
function readingsOf(text: string, country: string | undefined): (PhoneNumber | undefined)[] {
  const parse = (candidate: string, defaultCountry?: string) =>
    parsePhoneNumberFromString(candidate, { defaultCountry: defaultCountry as CountryCode, extract: false });
  if (text.startsWith('+')) return [parse(text)];
  const digits = text.replace(/[\s().\-/]/g, '');
  const readings = country ? [parse(text, country)] : [];
  // Carriers drop the plus, or write the dial-out prefix of most countries for it. A guess, so it has to be valid.
  const international = /^00[1-9]\d{8,14}$/.test(digits) ? digits.slice(2) : digits;
  if (/^[1-9]\d{9,14}$/.test(international)) {
    const guess = parse(`+${international}`);
    if (guess?.isValid()) readings.push(guess);
  }
  return readings;
}
