/** Keys that encrypt what Redis keeps of people: those of the installation, and those of a client that has its own. */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;

export interface EncryptionKey {
  /** The beginning of the key's own SHA-256, 8 hex digits. Says nothing about the key. */
  id: string;
  /** Its 32 bytes, which no log and no JSON shows. */
  secret: KeyObject;
}

/**
 * @param text keys of 32 bytes in base64 or hex, separated by commas or line breaks: the first encrypts, every one decrypts
 * @param name what the message calls the variable
 * @throws Error that says what is wrong with it, without showing it
 */
export function readEncryptionKeys(text: string, name: string): EncryptionKey[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((key, index) => {
      const bytes = readKeyBytes(key, `${name}: key ${index + 1}`);
      return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), secret: createSecretKey(bytes) };
    });
}

/**
 * 32 bytes written in base64 or hex.
 * @param name what the message calls the key
 * @throws Error that does not show the text
 */
export function readKeyBytes(text: string, name: string): Buffer {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length === KEY_BYTES) return bytes;
  throw new Error(`${name} is not 32 bytes in base64 or hex. Make one with: openssl rand -base64 32`);
}
