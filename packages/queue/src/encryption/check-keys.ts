import type { Log } from '@wrapup/destination';
import type { Encryptor } from './encryptor.ts';
import { type IndexKey, InstallationKeyError } from './index-key.ts';
import type { Marks } from './marks.ts';

/** What holds the keys of an installation: a `Store`. */
export interface KeyParts {
  encryptor: Encryptor;
  indexKey: IndexKey;
  marks: Marks;
}

/**
 * Whether the keys of this process fit to what Redis holds: the index key is the installation's, and values are encrypted
 * where all of them are.
 * @throws InstallationKeyError when they do not; Failure when the index key in Redis cannot be decrypted; what Redis
 * answers when it does not answer
 */
export async function checkKeys({ encryptor, indexKey, marks }: KeyParts): Promise<void> {
  const since = encryptor.on ? undefined : await marks.at('encrypted');
  if (since !== undefined) {
    throw new InstallationKeyError(
      `WRAPUP_ENCRYPTION_KEY is not set, and everything in this Redis is encrypted since ${new Date(since).toISOString()}.`,
      'Give this process the same WRAPUP_ENCRYPTION_KEY as the others: what it wrote without one would be refused.',
    );
  }
  await indexKey.load();
}

/**
 * The same for a process that starts, with a warning for each key that it was given none of. A Redis that does not answer
 * yet is no reason not to start.
 * @throws InstallationKeyError, Failure
 */
export async function checkKeysAtStart(parts: KeyParts, log: Pick<Log, 'warn'>): Promise<void> {
  if (!parts.encryptor.on) {
    log.warn(
      { hint: 'Make one with: openssl rand -base64 32. `wrapup encryption migrate` then encrypts what is there.' },
      'WRAPUP_ENCRYPTION_KEY is not set: payloads and tokens are kept in Redis as they are',
    );
  }
  if (!parts.indexKey.given) {
    log.warn(
      { hint: 'Where other processes have WRAPUP_INDEX_KEY, give it to this one, too.' },
      'WRAPUP_INDEX_KEY is not set: the key of the digests of numbers and addresses is kept in Redis beside them',
    );
  }
  try {
    await checkKeys(parts);
  } catch (error) {
    if (error instanceof InstallationKeyError || (error as { code?: unknown }).code === 'internal') throw error;
    log.warn(
      { reason: (error as Error).message },
      'Redis does not answer yet: whether the keys fit is checked when it does',
    );
  }
}
