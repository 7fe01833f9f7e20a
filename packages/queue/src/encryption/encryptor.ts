/**
 * Encryption at rest of what Redis keeps of people and of connections: payloads and tokens. AES-256-GCM, a fresh nonce
 * for each value, bound to the place that it is kept in, so that no value can be put in the place of another.
 *
 *   c1 57 50 01 | key id, 4 bytes | nonce, 12 bytes | tag, 16 bytes | ciphertext
 *
 * The key id is the beginning of the key's own SHA-256. Several keys may be given: the first encrypts, every one decrypts. So
 * a key is rotated by putting the new one in front, and taking the old one out once `wrapup encryption migrate` is through.
 *
 * Values that an earlier version or a process without a key wrote are read as they are, until `migrate` has encrypted all
 * of them and set its mark in Redis. From then on they are refused: otherwise an attacker who can write to Redis could
 * replace an encrypted value by a plain one.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Failure } from '@wrapup/destination';
import type { Keys } from '../redis/keys.ts';

/** 0xc1 begins no UTF-8 text, and no zstd frame either. */
const MAGIC = Buffer.from([0xc1, 0x57, 0x50, 0x01]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + 4 + NONCE_BYTES + TAG_BYTES;
const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';

interface Key {
  /** 8 hex digits. Says nothing about the key. */
  id: string;
  bytes: Buffer;
}

export interface Encryptor {
  /** Whether values are encrypted from now on. */
  readonly on: boolean;
  /** Id of the key that encrypts, 8 hex digits; undefined when none does. */
  readonly key: string | undefined;
  /** Ids of all keys that decrypt, the encrypting one first. */
  readonly keys: readonly string[];
  /** @param place what the value is and whose: it is decrypted under the same one only */
  encrypt(bytes: Buffer, place: string): Buffer;
  /**
   * What was encrypted; the bytes themselves where they never were and the installation does not refuse that yet.
   * @throws Failure `internal` that waits, when the key is not among those given or the value is not encrypted although
   * all are; `internal` when it was tampered with
   */
  decrypt(bytes: Buffer, place: string): Promise<Buffer>;
}

/** Patterns of the names of all values that are encrypted, each for its own name without the prefix. */
export function encryptedPatterns(keys: Keys): string[] {
  return [keys.payload('*', '*', '*'), keys.secret('*', '*'), keys.memory('*', '*'), keys.clientFiles('*')];
}

/** Bytes at the beginning of a value by which `keyIdOf` knows the key. */
export const HEAD_BYTES = MAGIC.length + 4;

/** The id of the key that encrypted a value, by its first bytes; undefined for what is not encrypted. */
export function keyIdOf(bytes: Buffer): string | undefined {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return bytes.subarray(MAGIC.length, HEAD_BYTES).toString('hex');
}

/**
 * @param text `WRAPUP_ENCRYPTION_KEY`: keys of 32 bytes in base64 or hex, separated by commas or line breaks. Nothing:
 * values are stored as they are, and encrypted ones cannot be read
 * @param encryptedSince epoch ms since when every value is encrypted; undefined while plain ones are still read
 * @throws Error that says what is wrong with it, without showing it
 */
export function makeEncryptor(
  text: string | undefined,
  encryptedSince: () => Promise<number | undefined> = async () => undefined,
): Encryptor {
  const keys = (text ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(readKey);
  const [current] = keys;
  return {
    on: current !== undefined,
    key: current?.id,
    keys: keys.map(({ id }) => id),
    encrypt(bytes, place) {
      if (!current) return bytes;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, current.bytes, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(place));
      const sealed = [cipher.update(bytes), cipher.final()];
      return Buffer.concat([MAGIC, Buffer.from(current.id, 'hex'), nonce, cipher.getAuthTag(), ...sealed]);
    },
    async decrypt(bytes, place) {
      const id = keyIdOf(bytes);
      if (id === undefined) {
        const since = current && (await encryptedSince());
        if (since !== undefined) throw unencrypted(since);
        return bytes;
      }
      const key = keys.find((one) => one.id === id);
      if (!key) throw unknownKey(id);
      const nonce = bytes.subarray(MAGIC.length + 4, MAGIC.length + 4 + NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(HEADER_BYTES - TAG_BYTES, HEADER_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES)), decipher.final()]);
      } catch (cause) {
        throw new Failure('internal', `What is kept under key ${id} cannot be decrypted: it was changed.`, {
          hint: 'Another program wrote to Redis, or the value is damaged: restore it, or backfill the call.',
          cause,
        });
      }
    },
  };
}

/** How long a delivery waits for its key, in ms. */
const KEY_MISSING_MS = 60_000;

/** A process without the key wrote it, or an attacker did: it waits for an operator, and no attempt is counted. */
function unencrypted(since: number): Failure {
  return new Failure(
    'internal',
    `It is not encrypted, although everything in this Redis is since ${new Date(since).toISOString()}.`,
    {
      next: 'throttle',
      retry_after: KEY_MISSING_MS,
      hint: 'Find out who wrote it: a process without WRAPUP_ENCRYPTION_KEY, or a stranger with access to Redis. `wrapup encryption migrate --accept-plain` encrypts such values.',
    },
  );
}

/** The operator's mistake, not the call's: it waits, and no attempt is counted. */
function unknownKey(id: string): Failure {
  return new Failure('internal', `It is encrypted with key ${id}, which WRAPUP_ENCRYPTION_KEY does not hold.`, {
    next: 'throttle',
    retry_after: KEY_MISSING_MS,
    hint: 'Put that key back behind the current one in WRAPUP_ENCRYPTION_KEY and restart; all goes on by itself then.',
  });
}

function readKey(text: string, index: number): Key {
  const bytes = readKeyBytes(text, `WRAPUP_ENCRYPTION_KEY: key ${index + 1}`);
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
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
