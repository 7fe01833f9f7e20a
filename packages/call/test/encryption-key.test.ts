import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readEncryptionKeys } from '../src/index.ts';

const bytes = (fill: number) => Buffer.alloc(32, fill);
const idOf = (key: Buffer) => createHash('sha256').update(key).digest('hex').slice(0, 8);

test('keys are read in base64 and hex, between commas and line breaks, in their order', () => {
  const text = `${bytes(1).toString('base64')},\n ${bytes(0xab).toString('hex').toUpperCase()}\n`;
  const keys = readEncryptionKeys(text, 'KEYS');
  expect(keys.map(({ id }) => id)).toEqual([idOf(bytes(1)), idOf(bytes(0xab))]);
  expect(keys.map(({ secret }) => secret.export())).toEqual([bytes(1), bytes(0xab)]);
  expect(JSON.stringify(keys)).not.toContain(bytes(1).toString('base64'));
  expect(readEncryptionKeys(' , ', 'KEYS')).toEqual([]);
});

test.each([
  ['31 bytes', bytes(1).subarray(1).toString('base64')],
  ['33 bytes', Buffer.alloc(33).toString('base64')],
  ['hex of 31 bytes', bytes(1).subarray(1).toString('hex')],
  ['hex with more behind it', `${bytes(1).toString('hex')}00`],
  ['hex with more before it', `zz${bytes(1).toString('hex')}`],
])('a key of %s is refused by its place, and not shown', (_what, key) => {
  const both = `${bytes(1).toString('base64')},${key}`;
  expect(() => readEncryptionKeys(both, 'KEYS')).toThrow(/^KEYS: key 2/);
  expect(() => readEncryptionKeys(both, 'KEYS')).not.toThrow(key);
});
