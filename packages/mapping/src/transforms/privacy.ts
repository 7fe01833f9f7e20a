import { createHash } from 'node:crypto';
import { onText } from './texts.ts';
import type { Transform } from './transform.ts';

export const PRIVACY_TRANSFORMS: Transform[] = [
  onText('hash', 'The sha256 of the text, as 64 hexadecimal digits.', 'dana@example.com', (text) =>
    createHash('sha256').update(text).digest('hex'),
  ),
  onText(
    'redact',
    'With [e-mail] and [number] where addresses and runs of seven or more digits stood.',
    'Write to dana@example.com or call 415 555 0142.',
    redact,
  ),
];

const AROUND_ADDRESS = /([\s<>"'(),;[\]{}]+)/;
const DIGITS_ENOUGH = 7;

/** Word by word, so that no text takes longer than its length. */
function redact(text: string): string {
  const addresses = text
    .split(AROUND_ADDRESS)
    .map((word) => (/[^@]@[^@]/.test(word) ? '[e-mail]' : word))
    .join('');
  return addresses.replace(/\+?\d[\d ().-]*/g, (run) => {
    if (run.replace(/\D/g, '').length < DIGITS_ENOUGH) return run;
    const kept = run.length - run.trimEnd().length;
    return `[number]${run.endsWith('.') ? '.' : ' '.repeat(kept)}`;
  });
}
