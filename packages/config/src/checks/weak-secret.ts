/** Secrets that are weak: shipped with an earlier version, taken from an example, repetitive, or short. */
import type { EncryptionKey } from '@wrapup/call';

/** Bytes; Synthflow generates 32. */
const MIN_SECRET_BYTES = 16;
/** Characters of a path token that hold 128 bits: in base64url, and in hexadecimal digits alone. */
const MIN_TOKEN = { base64url: 22, hex: 32 } as const;

/** What `.env.example` and `npm start` gave to every installation before each made its own. */
const SHIPPED: ReadonlySet<string> = new Set(['demo-webhook-secret']);
/** Words that examples and habits put where a secret belongs: a text that is made of them alone is one. */
const EXAMPLE_WORDS =
  /^(?:change|me|your|my|the|secret|secrets|password|passwd|test|example|demo|dev|sandbox|wrapup|webhook|path|token|key|synthflow|hubspot|salesforce|default|here|admin)+$/;
const SAYS_SO = /not[-_ ]a[-_ ]secret|insecure|change[-_ ]?me|example|^<.*>$/i;
/** A text with fewer different characters is not random. */
const MIN_DISTINCT = 6;
/** Characters of the longest pattern that counts as repeated. */
const MAX_PERIOD = 8;

/** True for a secret that the repository published. */
export function isShipped(secret: string): boolean {
  return SHIPPED.has(secret);
}

/** Why a webhook secret proves nothing, as the rest of "the secret …"; undefined when nothing speaks against it. */
export function weaknessOfSecret(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (isKnown(secret)) return 'is an example that everyone knows';
  if (bytes < MIN_SECRET_BYTES) return `is short: ${bytes} bytes, and ${MIN_SECRET_BYTES} are the least`;
  return isRepetitive(secret) ? 'is repetitive' : undefined;
}

/** The same for a path token, of which 128 bits are asked, as it alone keeps guesses out. */
export function weaknessOfToken(token: string): string | undefined {
  if (isKnown(token)) return 'is an example that everyone knows';
  const least = /^[0-9a-f]+$/i.test(token) ? MIN_TOKEN.hex : MIN_TOKEN.base64url;
  if (token.length < least) return `is short: ${token.length} characters, and ${least} are the least for 128 bits`;
  return isRepetitive(token) ? 'is repetitive' : undefined;
}

/** Different bytes of a key that was made at random: fewer among 32 happen once in some 10^15 keys. */
const MIN_DISTINCT_BYTES = 16;

/** The same for a key of 32 bytes. */
export function weaknessOfKey({ secret }: EncryptionKey): string | undefined {
  const bytes = secret.export();
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is made of letters, which were not taken at random';
  return new Set(bytes).size < MIN_DISTINCT_BYTES ? 'is repetitive' : undefined;
}

function isKnown(text: string): boolean {
  return isShipped(text) || SAYS_SO.test(text) || EXAMPLE_WORDS.test(text.toLowerCase().replace(/[^a-z]+/g, ''));
}

/** A short pattern over and over, hardly any different characters, or an alphabet counted up or down. */
function isRepetitive(text: string): boolean {
  if (new Set(text).size < MIN_DISTINCT) return true;
  for (let period = 1; period <= MAX_PERIOD; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  const steps = Array.from({ length: text.length - 1 }, (_, i) => text.charCodeAt(i + 1) - text.charCodeAt(i));
  return steps.filter((step) => step === 1).length >= steps.length - 1 || steps.every((step) => step === -1);
}
