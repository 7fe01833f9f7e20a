/** Mutants of the call model that change nothing a test could notice. */
import type { Judged } from './scopes.ts';

const ADDRESSES = 'packages/call/src/addresses-in-text.ts';
const PHONE = 'packages/call/src/phone.ts';

export const JUDGED_CALL: readonly Judged[] = [
  {
    file: ADDRESSES,
    line: 'const RUN = /\\d(?:[\\s().-]{0,4}\\d){6}/;',
    instead: ['/\\d(?:[\\s().-]{0,4}\\d)/'],
    why: 'It only saves time: whether a run has seven digits is asked again of each.',
  },
  {
    file: ADDRESSES,
    line: 'if (!RUN.test(text)) return;',
    instead: ['false'],
    why: 'It only saves time: a text without a run has none that is looked at.',
  },
  {
    file: ADDRESSES,
    line: 'if (found.runs > MAX_RUNS) return;',
    instead: ['false', 'found.runs >= MAX_RUNS'],
    why: 'It only saves time: what was looked at is counted, and says after the text that it was too much.',
  },
  {
    file: ADDRESSES,
    line: 'if (Number.isSafeInteger(value) && value > 0) addNumber(String(value), found);',
    instead: ['value >= 0'],
    why: 'Zero has one digit, and is no number to call.',
  },
  {
    file: 'packages/call/src/encryption-key.ts',
    line: '.split(/[\\s,]+/)',
    instead: ['/[\\s,]/'],
    why: 'Empty parts are left out in the next line.',
  },
  {
    file: 'packages/call/src/encryption-key.ts',
    line: "const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');",
    instead: ['/[0-9a-f]{64}$/i', '/^[0-9a-f]{64}/i'],
    why: 'A longer text is no key in either reading: it has not 32 bytes.',
  },
  {
    file: 'packages/call/src/json.ts',
    line: '} catch {',
    instead: ['{}'],
    why: 'A function that ends returns undefined as well.',
  },
  {
    file: PHONE,
    line: 'const text = (/<([^<>]*)>/.exec(whole)?.[1] ?? whole)',
    instead: [
      '/<([^<>]*)>/.exec(whole)?.[1] ?? whole',
      "(/<([^<>]*)>/.exec(whole)?.[1] ?? whole).trim().replace(/^(?:sips?|tel):/i, '').replace(/%2b/i, '+').replace(/[@;].*/s, ",
    ],
    why: 'The library passes over blanks.',
  },
  {
    file: PHONE,
    line: ".replace(/^(?:sips?|tel):/i, '')",
    instead: ['/(?:sips?|tel):/i'],
    why: 'What stands before it is no part of a number, and makes the text none.',
  },
  {
    file: PHONE,
    line: 'const international = /^00[1-9]\\d{8,14}$/.test(digits) ? digits.slice(2) : digits;',
    instead: ['/00[1-9]\\d{8,14}$/', '/^00[1-9]\\d{8,14}/'],
    why: 'What is cut so is no valid number, and only valid ones are taken of guesses.',
  },
  {
    file: PHONE,
    line: 'if (/^[1-9]\\d{9,14}$/.test(international)) {',
    instead: ['true', '/[1-9]\\d{9,14}$/', '/^[1-9]\\d{9,14}/'],
    why: 'It only saves time: the guess has to be a valid number.',
  },
];
