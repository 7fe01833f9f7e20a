import { expect, test } from 'vitest';
import { namesEmail, readEmail } from '../src/fields/emails.ts';

const long = (length: number) => {
  const domain = `${'x'.repeat(60)}.`.repeat(4);
  const local = length - domain.length - '@com'.length;
  return `${'a'.repeat(local)}@${domain}com`;
};

test.each([
  [' Dana@Example.COM. ', 'dana@example.com'],
  ['mailto:dana@example.com', 'dana@example.com'],
  ['MAILTO:dana@example.com', 'dana@example.com'],
  ['to mailto:dana@example.com', undefined],
  ['xmailto:dana@example.com', undefined],
  ['dana..x@example.com', undefined],
  ['.dana@example.com', undefined],
  ['dana.@example.com', undefined],
  ['dana@example', undefined],
  ['dana at example dot com', undefined],
  [long(254), long(254)],
  [long(255), undefined],
  [`mailto:${long(254)}`, long(254)],
  [`${' '.repeat(16)}${long(254)}`, long(254)],
  [`${' '.repeat(17)}${long(254)}`, undefined],
])('case %#: a text is an address, or none', (text, address) => {
  expect(readEmail(text)).toBe(address);
});

test.each([
  ['email', true],
  ['customerEmail', true],
  ['E-Mail Address', true],
  ['agent_email', false],
  ['email_consent', false],
  ['address', false],
  [`email${' '.repeat(75)}`, true],
  [`email${' '.repeat(76)}`, false],
])('the variable %j names the address of the person: %s', (name, expected) => {
  expect(namesEmail(name)).toBe(expected);
});
