import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSignature, SIGNATURE_HEADERS, sign, verifySignature } from '../src/index.ts';

const callId = '66666666-7777-8888-9999-000000000000';
const secret = 'a-secret-of-this-test';
const digest = createHmac('sha256', secret).update(callId).digest();
const other = createHmac('sha256', 'another').update(callId).digest();

describe('a signature that is accepted', () => {
  it.each<[string, string]>([
    ['base64', digest.toString('base64')],
    ['base64 without padding', digest.toString('base64').replace('=', '')],
    ['base64 for URLs', digest.toString('base64url')],
    ['hex', digest.toString('hex')],
    ['hex in upper case', digest.toString('hex').toUpperCase()],
    ['between blanks', ` ${digest.toString('base64')}\t`],
    ['the second of two values', `${other.toString('base64')}, ${digest.toString('base64')}`],
    ['beside a value that is no signature', `none, ${digest.toString('hex')}`],
    ['before another value', `${digest.toString('hex')}, ${other.toString('hex')}`],
    ['the last of the eight that are looked at', `${'x,'.repeat(7)}${digest.toString('base64')}`],
  ])('%s', (_, header) => {
    expect(verifySignature({ callId, secrets: [secret], header })).toBe(true);
  });

  it.each([0, 1, 2])('under secret %i of three, while rotating', (position) => {
    const secrets = ['old-one', 'older-one'];
    secrets.splice(position, 0, secret);
    expect(verifySignature({ callId, secrets, header: digest.toString('base64') })).toBe(true);
  });

  it('is what sign gives', () => {
    expect(sign(callId, secret)).toBe(digest.toString('base64'));
    expect(verifySignature({ callId, secrets: [secret], header: sign(callId, secret) })).toBe(true);
  });

  it('covers a call id outside of ASCII as UTF-8', () => {
    const id = 'Gespräch-№7';
    const header = createHmac('sha256', secret).update(Buffer.from(id, 'utf8')).digest('base64');
    expect(verifySignature({ callId: id, secrets: [secret], header })).toBe(true);
  });
});

describe('a signature that is refused', () => {
  it.each<[string, string | undefined]>([
    ['none', undefined],
    ['empty', ''],
    ['of another secret', other.toString('base64')],
    ['of another call', createHmac('sha256', secret).update('another').digest('base64')],
    [
      'with one bit changed',
      Buffer.from(digest.map((byte, index) => (index === 31 ? byte ^ 1 : byte))).toString('base64'),
    ],
    ['one byte short', digest.subarray(0, 31).toString('base64')],
    ['one byte long', Buffer.concat([digest, Buffer.from([0])]).toString('base64')],
    ['short hex', digest.toString('hex').slice(2)],
    ['long hex', `${digest.toString('hex')}00`],
    ['with a prefix', `sha256=${digest.toString('hex')}`],
    ['with base64 before it', `AAAA${digest.toString('base64')}`],
    ['with base64 behind it', `${digest.toString('base64')}AAAA`],
    ['of another hash', createHmac('sha512', secret).update(callId).digest('hex')],
    ['not ASCII', '№'.repeat(43)],
    ['a megabyte', 'A'.repeat(1_000_000)],
    ['behind eight others', `${'x,'.repeat(8)}${digest.toString('base64')}`],
    ['behind a thousand others', `${'x,'.repeat(1000)}${digest.toString('base64')}`],
  ])('%s', (_, header) => {
    expect(verifySignature({ callId, secrets: [secret], header })).toBe(false);
  });

  it('when there is no secret', () => {
    expect(verifySignature({ callId, secrets: [], header: digest.toString('base64') })).toBe(false);
  });

  it('when it was made with an empty secret, which anyone has', () => {
    const header = createHmac('sha256', '').update(callId).digest('base64');
    expect(verifySignature({ callId, secrets: ['', secret], header })).toBe(false);
  });

  it('when the call id is empty', () => {
    const header = createHmac('sha256', secret).update('').digest('base64');
    expect(verifySignature({ callId: '', secrets: [secret], header })).toBe(false);
  });
});

describe('the signature header', () => {
  it.each(SIGNATURE_HEADERS.map((name) => [name]))('%s, in any case', (name) => {
    expect(readSignature({ [name]: 'abc' })).toBe('abc');
    expect(readSignature({ [name.toUpperCase()]: 'abc' })).toBe('abc');
  });

  it('has five spellings', () => {
    expect(SIGNATURE_HEADERS).toHaveLength(5);
    expect(SIGNATURE_HEADERS).toContain('HTTP_SYNTHFLOW_SIGNATURE'.toLowerCase());
  });

  it('may come several times', () => {
    expect(readSignature({ 'synthflow-signature': ['abc', 'def'] })).toBe('abc, def');
    expect(readSignature({ 'synthflow-signature': '', 'x-synthflow-signature': 'def' })).toBe('def');
  });

  it('is missing when it is empty or another', () => {
    expect(readSignature({})).toBeUndefined();
    expect(readSignature({ 'synthflow-signature': ' ' })).toBeUndefined();
    expect(readSignature({ 'synthflow-signature': undefined, 'x-signature': 'abc' })).toBeUndefined();
  });
});
