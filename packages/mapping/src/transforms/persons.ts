import { type Phone, parsePhone } from '@wrapup/call';
import { Absent, type Present } from '../values/found.ts';
import { MAIL_PROVIDERS } from './mail-providers.ts';
import { onText } from './texts.ts';
import type { Transform } from './transform.ts';

const NO_EMAIL = new Absent('email: it is no e-mail address', 'unreadable_value');
const NO_DOMAIN = new Absent('email_domain: it is no e-mail address', 'unreadable_value');
const NO_COMPANY = new Absent('email_domain: the address is one at a mail provider, which says nothing of a company');
const ONE_NAME = new Absent('last_name: the name is a single word');

export const PERSON_TRANSFORMS: Transform[] = [
  onText('first_name', 'The first name of a full name.', 'Dana van der Example', (text) => splitName(text).first),
  onText(
    'last_name',
    'The family name of a full name; absent when the name is a single word.',
    'Dana van der Example',
    (text) => splitName(text).last || ONE_NAME,
  ),
  onText('email', 'An e-mail address in small letters; absent when it is none.', ' Dana@Example.com', (text) => {
    const address = text.trim().toLowerCase();
    return isEmail(address) ? address : NO_EMAIL;
  }),
  onText(
    'email_domain',
    'The domain of an e-mail address, small; absent for those of mail providers.',
    'Dana@Acme.example',
    (text) => {
      const address = text.trim().toLowerCase();
      if (!isEmail(address)) return NO_DOMAIN;
      const domain = address.slice(address.indexOf('@') + 1);
      return MAIL_PROVIDERS.has(domain) ? NO_COMPANY : domain;
    },
  ),
  phone('e164', 'A telephone number in international form, +14155550123; absent when it is none.', (read) => read.e164),
  phone('national', 'A telephone number as people of its country write it: (415) 555-0123.', (read) => read.national),
];

function phone(name: string, does: string, form: (phone: Phone) => string): Transform {
  const none = new Absent(`${name}: it is no telephone number`, 'unreadable_value');
  return {
    name,
    does,
    // The country that a number without + belongs to.
    parameters: [{ name: 'country', type: 'country', optional: true }],
    example: { given: '415 555 0142', args: ['US'] },
    apply: (value: Present, country) => {
      const read = parsePhone(value, country as string | undefined);
      return read ? form(read) : none;
    },
  };
}

/** Characters and parts that an address must have; whether a person has it only mail can show. */
function isEmail(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>"(),;:\\[\]]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text);
}

/** `Doe, Jane` and `Jane van Doe`: the first word is the first name, unless a comma says otherwise. */
function splitName(text: string): { first: string; last: string } {
  const [before = '', after] = text.split(',', 3).map((part) => part.trim());
  if (after) return { first: after, last: before };
  const [first = '', ...others] = text.trim().split(/\s+/);
  return { first, last: others.join(' ') };
}
