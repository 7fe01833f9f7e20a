import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBucket, encodeBucket, fillingCount, type StoredEntry } from '../src/packed/bucket.ts';

const START = 1_790_000_000_000;

/** An entry as it is after a call was written to HubSpot. */
function makeEntry(nth: number): StoredEntry {
  const at = START + nth * 700 + (randomBytes(1)[0] as number);
  const revision = randomBytes(32).toString('hex');
  const records = [
    ['person', '0-1'],
    ['call-log', '0-48'],
    ['call-back', '0-27'],
  ].map(([name, type]) => {
    const id = String(100_000_000_000 + randomBytes(4).readUInt32LE() * 50);
    return { name, id, action: 'created', url: `https://app.hubspot.com/contacts/12345678/record/${type}/${id}` };
  });
  const delivery = { route: 'sales-calls', connection: 'sales', state: 'written', since: at + 900, revision, records };
  return {
    fields: {
      source: 'main',
      call_id: randomUUID(),
      received: 'webhook',
      received_at: String(at),
      ended_at: String(at - 1_500),
      routed: '1',
      [`rev:${revision}`]: JSON.stringify({ at, stored: 1_400 + nth, digest: randomBytes(32).toString('base64url') }),
      'dlv:sales-calls': JSON.stringify({ ...delivery, mapping: '8c1f6c9de9c20a3b', notes: [] }),
    },
    ends: at + 90 * 86_400_000,
  };
}

it('keeps fifty entries without loss in 130 bytes each', () => {
  const entries = Array.from({ length: 50 }, (_, nth) => makeEntry(nth));
  const bytes = encodeBucket(entries);
  expect(decodeBucket(bytes)).toEqual(entries);
  expect(bytes.length / entries.length).toBeLessThan(130);
});

/** Texts that look like what is taken out of a bucket's text, or nearly. */
const piece = fc.oneof(
  fc.uuid(),
  fc.stringMatching(/^[0-9a-f]{15,66}$/),
  fc.stringMatching(/^[\w-]{14,45}$/),
  fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String),
  fc.integer({ min: START, max: START + 1_000_000 }).map(String),
  fc.constantFrom(
    '0',
    '007',
    '-123456',
    '1.234567',
    'é',
    '"',
    '\\',
    '\u0001',
    '\u0005' + '1;',
    '\n',
    '__proto__',
    '\ud800',
  ),
  fc.string({ unit: 'binary' }),
);
const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(pieces.length % 2 === 0 ? '"' : ''));
const entry = fc.record({
  fields: fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true }),
  ends: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: START * 2 })),
});

it('gives back whatever the fields say', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
      expect(decodeBucket(encodeBucket(entries))).toEqual(entries);
    }),
    { numRuns: 300 },
  );
});

it('refuses bytes of a form that it does not know', () => {
  const bytes = encodeBucket([makeEntry(1)]);
  bytes[0] = 2;
  expect(() => decodeBucket(bytes)).toThrow('a form that this version does not know');
});

it('fills the place in memory that a bucket takes', () => {
  const entries = Array.from({ length: 50 }, (_, nth) => makeEntry(nth));
  const count = fillingCount(entries, 40);
  expect(count).toBeGreaterThanOrEqual(40);
  const bytes = encodeBucket(entries.slice(0, count)).length + 8;
  const sizes = [4096, 5120, 6144, 7168, 8192];
  const place = sizes.find((size) => size >= bytes) as number;
  expect(bytes / place).toBeGreaterThan(0.9);
});
