/** Under which keys Redis holds what is encrypted, so that an operator knows when a key can be removed. */

import { encryptedPatterns, HEAD_BYTES, keyIdOf } from '../encryption/encryptor.ts';
import { scanKeys } from '../redis/client.ts';
import type { Store } from './store.ts';

export interface EncryptionAudit {
  /** Id of the key that encrypts from now on; null when nothing is encrypted. */
  key: string | null;
  /** Ids of all keys that are configured. */
  configured: string[];
  /** Payloads and tokens by the id of their key. */
  sealed: Record<string, number>;
  /** Payloads and tokens that are not encrypted. */
  plain: number;
  /** Ids of keys that are not configured any more, although something is left that they encrypted. */
  missing: string[];
  /** False when there were too many to check them all. */
  complete: boolean;
}

const PAGE_SIZE = 500;
/** Values that are checked at most; a million takes some ten seconds. */
const MAX_VALUES = 1_000_000;

export async function auditEncryption({ redis, keys, encryptor }: Store): Promise<EncryptionAudit> {
  const sealed: Record<string, number> = {};
  let plain = 0;
  let looked = 0;
  const look = async (names: string[]) => {
    // The first bytes only: a payload may have megabytes.
    const heads = await Promise.all(names.map((name) => redis.getrangeBuffer(name, 0, HEAD_BYTES - 1)));
    for (const head of heads) {
      // Expired since it was listed.
      if (head.length === 0) continue;
      const id = keyIdOf(head);
      if (id === undefined) plain += 1;
      else sealed[id] = (sealed[id] ?? 0) + 1;
    }
    looked += names.length;
  };
  for (const pattern of encryptedPatterns(keys)) {
    let page: string[] = [];
    for await (const name of scanKeys(redis, pattern)) {
      page.push(name);
      if (page.length < PAGE_SIZE) continue;
      await look(page);
      page = [];
      if (looked >= MAX_VALUES) break;
    }
    await look(page);
  }
  return {
    key: encryptor.key ?? null,
    configured: [...encryptor.keys],
    sealed,
    plain,
    missing: Object.keys(sealed).filter((id) => !encryptor.keys.includes(id)),
    complete: looked < MAX_VALUES,
  };
}
