import { createHash } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { callKey, clientOf, fullName, localName, personKey, recordKey, variablePrefix } from '../src/index.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('unique keys', () => {
  it('names the call log by source and call id', () => {
    expect(callKey({ source: 'main', id: 'a:b' })).toBe('main:a:b');
  });

  it('names other records by their own name besides', () => {
    expect(recordKey({ source: 'main', id: '42' }, 'call-back')).toBe('main:42:call-back');
  });

  it('names a person by the number, whatever the call', () => {
    const key = `person:${sha256('+14155550123')}`;
    expect(personKey({ phone: '+14155550123' })).toBe(key);
    expect(personKey({ phone: '+14155550123', email: 'dana@example.com' })).toBe(key);
  });

  it('names a person without a number by the e-mail in lower case', () => {
    expect(personKey({ email: ' Dana@Example.com ' })).toBe(`person:${sha256('dana@example.com')}`);
    expect(personKey({ phone: '', email: 'dana@example.com' })).toBe(`person:${sha256('dana@example.com')}`);
  });

  it('has no name for a person who could not be found again', () => {
    expect(personKey({})).toBeUndefined();
    expect(personKey({ phone: undefined, email: ' ' })).toBeUndefined();
  });
});

describe('clientOf', () => {
  it('reads the client of a full name', () => {
    expect(clientOf('acme.main')).toBe('acme');
  });
  it('knows names of wrapup.yaml by their lack of a dot', () => {
    expect(clientOf('main')).toBeUndefined();
    expect(clientOf('.main')).toBe('');
  });
});

describe('localName', () => {
  it('is the name in the file of the client', () => {
    expect(localName('acme.main')).toBe('main');
    expect(localName('main')).toBe('main');
  });
});

test('a name outside of the file of its client begins with the client', () => {
  expect(fullName('acme', 'main')).toBe('acme.main');
  expect(fullName(undefined, 'main')).toBe('main');
});

test.each([
  ['acme-west-2', 'ACME_WEST_2'],
  ['4you', '_4YOU'],
])('the variables of the client %s begin with %s', (client, prefix) => {
  expect(variablePrefix(client)).toBe(prefix);
});

test('a source that moved keeps the keys that it wrote', () => {
  const call = { source: 'acme.main', key_prefix: 'main', id: 'call-1' };
  expect(callKey(call)).toBe('main:call-1');
  expect(recordKey(call, 'callback')).toBe('main:call-1:callback');
});
