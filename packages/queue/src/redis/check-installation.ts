import type { Log } from '@wrapup/destination';
import type { Encryptor } from '../encryption/encryptor.ts';
import type { IndexKey } from '../encryption/index-key.ts';
import type { Marks } from '../encryption/marks.ts';
import type { RedisClient } from './client.ts';
import { checkDataVersion, type DataVersion, InstallationError } from './data-version.ts';
import type { Keys } from './keys.ts';

/** What holds data and keys of an installation, and what memory, secrets and the whole context are made on: a `Store`. */
export interface InstallationParts {
  redis: RedisClient;
  keys: Keys;
  encryptor: Encryptor;
  indexKey: IndexKey;
  marks: Marks;
}

/**
 * Whether this process fits to what Redis holds: its release reads the data, the index key is the installation's, and
 * values are encrypted where all of them are.
 * @returns of which versions the data is
 * @throws InstallationError when it does not; Failure when the index key in Redis cannot be decrypted; what Redis answers
 * when it does not answer
 */
export async function checkInstallation(parts: InstallationParts): Promise<DataVersion> {
  const data = await checkDataVersion(parts);
  const { encryptor, indexKey, marks } = parts;
  const since = encryptor.on ? undefined : await marks.at('encrypted');
  if (since !== undefined) {
    throw new InstallationError(
      `WRAPUP_ENCRYPTION_KEY is not set, and everything in this Redis is encrypted since ${new Date(since).toISOString()}.`,
      'Give this process the same WRAPUP_ENCRYPTION_KEY as the others: what it wrote without one would be refused.',
    );
  }
  await indexKey.load();
  return data;
}

/**
 * The same for a process that starts, with a warning for each key that it was given none of. A Redis that does not answer
 * yet is no reason not to start.
 * @returns whether it fits; false where Redis does not answer yet
 * @throws InstallationError, Failure
 */
export async function checkInstallationAtStart(parts: InstallationParts, log: Pick<Log, 'warn'>): Promise<boolean> {
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
    await checkInstallation(parts);
    return true;
  } catch (error) {
    if (isMisfit(error)) throw error;
    log.warn(
      { reason: (error as Error).message },
      'Redis does not answer yet: whether this release and its keys fit to its data is checked when it does',
    );
    return false;
  }
}

/** Resolves once Redis has answered, for a process that started without it. @throws InstallationError, Failure */
export async function checkInstallationLater(parts: InstallationParts): Promise<void> {
  for (;;) {
    try {
      await checkInstallation(parts);
      return;
    } catch (error) {
      if (isMisfit(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref());
    }
  }
}

const ASK_AGAIN_MS = 500;

function isMisfit(error: unknown): boolean {
  return error instanceof InstallationError || (error as { code?: unknown }).code === 'internal';
}
