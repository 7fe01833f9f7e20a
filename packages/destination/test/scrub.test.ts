/** `scrub` takes out what it took out when it was quadratic, and takes time in proportion to the text. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scrub } from '../src/index.ts';

/** What is to be taken out, said without regard to time. */
const EMAIL = /[^\s@<>"'(),;:[\]{}=]+@[^\s@<>"'(),;:[\]{}=]+/g;
const NUMBER = /\+?\d[\d\s().-]{6,}\d/g;
const ANNOUNCES_ID = /\b(?:id|ids|record|portalId|objectTypeId|correlationId)\W{0,3}$/i;

function scrubSlowly(text: string): string {
  return text
    .replace(EMAIL, '[e-mail]')
    .replace(NUMBER, (match, offset: number, whole: string) =>
      ANNOUNCES_ID.test(whole.slice(Math.max(0, offset - 20), offset)) ? match : '[number]',
    );
}

const piece = fc.oneof(
  fc.constantFrom('a', '1', '7', '@', ' ', '+', '(', ')', '.', '-', ':', '"', ',', '\n', 'é', '=', 'id', 'record '),
  fc.constantFrom('ID: 70000000123', 'ada@mail.example', '+1 (415) 555-0142', '0049 30 901820'),
  fc.string(),
);

it('takes out the same as the plain definition, whatever the text', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      expect(scrub(text, Number.MAX_SAFE_INTEGER)).toBe(scrubSlowly(text));
    }),
    { numRuns: 3_000 },
  );
});

/** Each is a text in which some pattern begins often and ends in nothing, or matches as often as can be. */
const TEXTS: Record<string, (length: number) => string> = {
  'one word': (length) => 'x'.repeat(length),
  'one word before an @': (length) => `${'x'.repeat(length - 1)}@`,
  'nothing but @': (length) => '@'.repeat(length),
  'addresses without a space': (length) => 'x@'.repeat(length / 2),
  'a digit and spaces': (length) => `1${' '.repeat(length - 1)}`,
  'seven digits and brackets': (length) => `1234567${'('.repeat(length - 7)}`,
  'digits that are too few': (length) => '123456x'.repeat(length / 7),
  'one number': (length) => '1'.repeat(length),
  'plus signs': (length) => '+'.repeat(length),
  'announced ids': (length) => 'id 12345678 '.repeat(length / 12),
};

/** CPU time of this thread alone, of three runs: what else the machine does is not counted. */
function workOf(run: () => unknown): number {
  const before = process.threadCpuUsage();
  for (let time = 0; time < 3; time += 1) run();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** Looks at each character once. */
function readOnce(text: string): string {
  return text.replace(/./gs, (character) => character);
}

const LENGTH = 1_000_000;
/** Measured: 0.8 at most. A quadratic pattern took 76 with a tenth of the text, and would take 7,600 with all of it. */
const MAX_READINGS = 10;

it.each(Object.entries(TEXTS))('%s of 1,000,000 characters costs less than ten readings of it', (_name, make) => {
  const reading = workOf(() => readOnce(make(LENGTH)));
  // The tenth goes first, since a pattern that is not linear would take minutes for all of it.
  for (const length of [LENGTH / 10, LENGTH]) {
    const text = make(length);
    expect(workOf(() => scrub(text)) / reading, `${length} characters`).toBeLessThan(MAX_READINGS);
  }
});
