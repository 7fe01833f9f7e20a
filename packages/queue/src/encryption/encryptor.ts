/**
 * Encryption at rest of what Redis keeps of people and of connections: payloads and tokens. AES-256-GCM, a fresh nonce
 * for each value, bound to the place that it is kept in, so that no value can be put in the place of another.
 *
 *   c1 57 50 01 | key id, 4 bytes | nonce, 12 bytes | tag, 16 bytes | ciphertext
 *
 * The key id is the beginning of the key's own SHA-256. Several keys may be given: the first encrypts, every one decrypts. So
 * a key is rotated by putting the new one in front, and taking the old one out once `wrapup encryption migrate` is through.
 *
 * The place says whose the value is: what belongs to a client that has keys of its own is encrypted with the first of these,
 * and the keys of the installation still open what was kept before. Another client's keys are never tried.
 *
 * Values that an earlier version or a process without a key wrote are read as they are, until `migrate` has encrypted all
 * of them and set its mark in Redis. From then on they are refused: otherwise an attacker who can write to Redis could
 * replace an encrypted value by a plain one.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { clientOf, type EncryptionKey, readEncryptionKeys } from '@wrapup/call';
import { Failure } from '@wrapup/destination';
import type { Keys } from '../redis/keys.ts';

/** 0xc1 begins no UTF-8 text, and no zstd frame either. */
const MAGIC = Buffer.from([0xc1, 0x57, 0x50, 0x01]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + 4 + NONCE_BYTES + TAG_BYTES;
const CIPHER = 'aes-256-gcm';

/**
 * The keys of a client's own as its file has them now; undefined where it has none. Throws where its file names some that
 * cannot be read: nothing of it is kept under another key then.
 */
export type ClientKeys = (client: string) => readonly EncryptionKey[] | undefined;

export interface Encryptor {
  /** Whether values of the installation are encrypted from now on. */
  readonly on: boolean;
  /** Id of the installation's key that encrypts, 8 hex digits; undefined when none does. */
  readonly key: string | undefined;
  /** Ids of all keys of the installation that decrypt, the encrypting one first. */
  readonly keys: readonly string[];
  /**
   * The same at one place, where a client's own keys come first; none where nothing encrypts there.
   * @throws Error when the client's keys cannot be read
   */
  keysAt(place: string): readonly string[];
  /** The same for what is kept of a client. */
  keysOf(client: string): readonly string[];
  /** @param place what the value is and whose: it is decrypted under the same one only. @throws as `keysAt` */
  encrypt(bytes: Buffer, place: string): Buffer;
  /**
   * What was encrypted; the bytes themselves where they never were and the installation does not refuse that yet.
   * @throws Failure `internal` that waits, when the key is not among those given or the value is not encrypted although
   * all are; `internal` when it was tampered with; as `keysAt`
   */
  decrypt(bytes: Buffer, place: string): Promise<Buffer>;
}

/**
 * Patterns of the names of all values that are encrypted, each for its own name without the prefix.
 * @param client only of those that its own keys encrypt
 */
export function encryptedPatterns(keys: Keys, client?: string): string[] {
  const names = client === undefined ? '*' : `${client}.*`;
  const ofClients = [
    ...[keys.payload(names, '*', '*'), keys.dictionary(names, '*')],
    ...[keys.secret(names, '*'), keys.memory(names, '*')],
  ];
  return client === undefined ? [...ofClients, keys.clientFiles('*')] : ofClients;
}

/**
 * Kinds of places whose second part is the full name of a source or connection. A client's own file is not among them: it is
 * read where the file that names the keys cannot be.
 */
const NAMED_PLACES: ReadonlySet<string> = new Set(['payload', 'dictionary', 'secret', 'remembered', 'memory']);

/** The client that a value belongs to, by its place; undefined for those of the installation. */
export function clientOfPlace(place: string): string | undefined {
  const [kind = '', name = ''] = place.split(':', 2);
  return NAMED_PLACES.has(kind) ? clientOf(name) : undefined;
}

/** Bytes at the beginning of a value by which `keyIdOf` knows the key. */
export const HEAD_BYTES = MAGIC.length + 4;

/** The id of the key that encrypted a value, by its first bytes; undefined for what is not encrypted. */
export function keyIdOf(bytes: Buffer): string | undefined {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return bytes.subarray(MAGIC.length, HEAD_BYTES).toString('hex');
}

interface EncryptorOptions {
  /** Epoch ms since when every value is encrypted; undefined while plain ones are still read. */
  encryptedSince?: () => Promise<number | undefined>;
  /** Asked for each value, so that a key counts as soon as the file that names it does. */
  clientKeys?: ClientKeys | undefined;
}

/**
 * @param text `WRAPUP_ENCRYPTION_KEY`: keys of 32 bytes in base64 or hex, separated by commas or line breaks. Nothing:
 * values are stored as they are, and encrypted ones cannot be read
 * @throws Error that says what is wrong with it, without showing it
 */
export function makeEncryptor(
  text: string | undefined,
  { encryptedSince = async () => undefined, clientKeys = () => undefined }: EncryptorOptions = {},
): Encryptor {
  const installation = readEncryptionKeys(text ?? '', 'WRAPUP_ENCRYPTION_KEY');
  const of = (client: string | undefined): readonly EncryptionKey[] => {
    const own = client === undefined ? undefined : clientKeys(client);
    return own ? [...own, ...installation] : installation;
  };
  const at = (place: string) => of(clientOfPlace(place));
  return {
    on: installation.length > 0,
    key: installation[0]?.id,
    keys: installation.map(({ id }) => id),
    keysAt: (place) => at(place).map(({ id }) => id),
    keysOf: (client) => of(client).map(({ id }) => id),
    encrypt(bytes, place) {
      const [current] = at(place);
      if (!current) return bytes;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, current.secret, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(place));
      const sealed = [cipher.update(bytes), cipher.final()];
      return Buffer.concat([MAGIC, Buffer.from(current.id, 'hex'), nonce, cipher.getAuthTag(), ...sealed]);
    },
    async decrypt(bytes, place) {
      const id = keyIdOf(bytes);
      const keys = at(place);
      if (id === undefined) {
        const since = keys.length > 0 ? await encryptedSince() : undefined;
        if (since !== undefined) throw unencrypted(since);
        return bytes;
      }
      const key = keys.find((one) => one.id === id);
      if (!key) throw unknownKey(id, clientOfPlace(place));
      const nonce = bytes.subarray(MAGIC.length + 4, MAGIC.length + 4 + NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, key.secret, nonce, { authTagLength: TAG_BYTES });
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
/** The same for a client's key, which comes with a file that is taken over while the processes run. */
const CLIENT_KEY_MISSING_MS = 10_000;

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
function unknownKey(id: string, client: string | undefined): Failure {
  if (client === undefined) {
    return new Failure('internal', `It is encrypted with key ${id}, which WRAPUP_ENCRYPTION_KEY does not hold.`, {
      next: 'throttle',
      retry_after: KEY_MISSING_MS,
      hint: 'Put that key back behind the current one in WRAPUP_ENCRYPTION_KEY and restart; all goes on by itself then.',
    });
  }
  return new Failure('internal', `It is encrypted with key ${id}, which client ${client} does not have here.`, {
    next: 'throttle',
    retry_after: CLIENT_KEY_MISSING_MS,
    hint: `Put that key back behind the current one in encryption_key of clients/${client}.yaml, or into WRAPUP_ENCRYPTION_KEY if it was once the installation's; all goes on by itself then.`,
  });
}
