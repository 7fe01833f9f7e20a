import { describe, expect, it } from 'vitest';
import { parsePhone } from '../src/index.ts';

describe('numbers that can be read', () => {
  it.each<[string, unknown, string | undefined, string, string | undefined]>([
    ['international', '+14155550123', undefined, '+14155550123', 'US'],
    ['international with separators', '+1 (415) 555-0123', undefined, '+14155550123', 'US'],
    ['around spaces', '  +14155550123\n', undefined, '+14155550123', 'US'],
    ['national of the default country', '(415) 555-0123', 'US', '+14155550123', 'US'],
    ['national, default country in lower case', '(415) 555-0123', 'us', '+14155550123', 'US'],
    ['national with trunk prefix', '020 7946 0123', 'GB', '+442079460123', 'GB'],
    ['international although another country is the default', '+442079460123', 'US', '+442079460123', 'GB'],
    ['plus dropped by the carrier', '14155550123', undefined, '+14155550123', 'US'],
    ['plus dropped, in another country', '14155550123', 'DE', '+14155550123', 'US'],
    ['plus dropped, longer than any number of the default country', '4915112345678', 'US', '+4915112345678', 'DE'],
    ['00 for the plus', '00442079460123', undefined, '+442079460123', 'GB'],
    ['00 for the plus, where 011 is dialled', '0044 20 7946 0123', 'US', '+442079460123', 'GB'],
    ['SIP URI', 'sip:+14155550123@carrier.example.com', undefined, '+14155550123', 'US'],
    ['SIP URI after a blank', ' sip:+14155550123@carrier.example.com', undefined, '+14155550123', 'US'],
    ['SIP URI with parameters', 'sips:+14155550123@198.51.100.7:5061;user=phone', undefined, '+14155550123', 'US'],
    ['SIP name-addr', '"Caller" <sip:+14155550123@carrier.example.com>;tag=1a2b', undefined, '+14155550123', 'US'],
    ['SIP user with an escaped plus', 'sip:%2B14155550123@carrier.example.com', undefined, '+14155550123', 'US'],
    ['SIP user of the default country', 'sip:4155550123@pbx.example.com', 'US', '+14155550123', 'US'],
    ['tel URI with extension', 'tel:+1-415-555-0123;ext=45', undefined, '+14155550123', 'US'],
    ['written extension', '+1 415 555 0123 ext. 45', undefined, '+14155550123', 'US'],
    ['a number, not a text', 14155550123, undefined, '+14155550123', 'US'],
    ['spread over 40 characters', `+1${' '.repeat(28)}4155550123`, undefined, '+14155550123', 'US'],
    ['in a name-addr of 256 characters', `"${'x'.repeat(239)}" <+14155550123>`, undefined, '+14155550123', 'US'],
    ['of the 15 digits that E.164 has at most', '+49 30 12345678901', undefined, '+493012345678901', 'DE'],
    ['in angle brackets, around spaces', '< +14155550123 >', undefined, '+14155550123', 'US'],
    ['toll-free of no one country', '+80012345678', undefined, '+80012345678', undefined],
    ['possible, though the plan does not list it yet', '+6512345678', undefined, '+6512345678', 'SG'],
  ])('%s', (_, raw, country, e164, from) => {
    const phone = parsePhone(raw, country);
    expect(phone?.e164).toBe(e164);
    expect(phone?.country).toBe(from);
    expect(e164.endsWith(phone?.digits as string)).toBe(true);
  });

  it('gives the national form and the digits that CRMs search for', () => {
    expect(parsePhone('+442079460123')).toEqual({
      e164: '+442079460123',
      national: '020 7946 0123',
      digits: '2079460123',
      country: 'GB',
    });
  });
});

describe('what is no number', () => {
  it.each<[string, unknown, string | undefined]>([
    ['anonymous', 'anonymous', 'US'],
    ['Anonymous as a SIP user', 'sip:anonymous@anonymous.invalid', 'US'],
    ['Restricted', 'Restricted', 'US'],
    ['ANONYMOUS on a telephone’s keys', '+266696687', undefined],
    ['RESTRICTED on a telephone’s keys', '+7378742833', undefined],
    ['RESTRICTED, as a number of Texas', '7378742833', 'US'],
    ['UNAVAILABLE on a telephone’s keys', '+86282452253', undefined],
    ['UNKNOWN on a telephone’s keys', '8656696', 'DE'],
    ['RESTRICTED, grouped as a number of Texas', '(737) 874-2833', 'US'],
    ['UNKNOWN, grouped', '8656-696', 'DE'],
    ['a number in a sentence', 'call +14155550123', 'US'],
    ['of a country that there is not', '9991234567890', undefined],
    ['a list of one number', ['+14155550123'], 'US'],
    ['spread over more than 40 characters', `+1${' '.repeat(29)}4155550123`, 'US'],
    ['in a name-addr of more than 256 characters', `"${'x'.repeat(240)}" <+14155550123>`, 'US'],
    ['UNAVAILABLE, as a number of China', '282452253', 'CN'],
    ['longer than E.164 has it', '+49 30 1234567890123', undefined],
    ['a SIP user that is a name', 'sip:reception@pbx.example.com', 'US'],
    ['an e-mail address', 'dana@example.com', 'US'],
    ['an emergency number', '911', 'US'],
    ['a short code', '72345', 'US'],
    ['a short code, where short numbers are possible', '12345', 'DE'],
    ['a local number without area code', '555-0123', 'US'],
    ['national without a default country', '(415) 555-0123', undefined],
    ['national that would be possible elsewhere', '6175550123', undefined],
    ['an unknown default country', '(415) 555-0123', 'XX'],
    ['masked', '+1415555****', 'US'],
    ['redacted', '[REDACTED]', 'US'],
    ['too long', `+1${'4'.repeat(30)}`, 'US'],
    ['megabytes', '9'.repeat(1_000_000), 'US'],
    ['empty', '', 'US'],
    ['null', null, 'US'],
    ['an object', { number: '+14155550123' }, 'US'],
    ['a fraction', 1415555012.3, 'US'],
    ['a number beyond what is exact', 1e30, 'US'],
  ])('%s', (_, raw, country) => {
    expect(parsePhone(raw, country)).toBeUndefined();
  });
});
