/** Under which keys Redis holds what is encrypted, so that an operator knows when a key can be removed. */

import { clientOfPlace, encryptedPatterns, HEAD_BYTES, keyIdOf } from '../encryption/encryptor.ts';
import { scanKeys } from '../redis/client.ts';
import type { Store } from './store.ts';

/** Values that belong together, by the keys that they are under. */
export interface KeyUse {
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
}

export interface EncryptionAudit extends KeyUse {
  /** What belongs to clients with keys of their own, or is under a key that its client has no more; not counted above. */
  clients: Record<string, KeyUse>;
  /** False when there were too many to check them all. */
  complete: boolean;
}

const PAGE_SIZE = 500;
/** Values that are checked at most; a million takes some ten seconds. */
const MAX_VALUES = 1_000_000;

/** @param client checks only what belongs to this one */
export async function auditEncryption({ redis, keys, encryptor }: Store, client?: string): Promise<EncryptionAudit> {
  const ofInstallation = newUse(encryptor.keys);
  const clients: Record<string, KeyUse> = {};
  const ownKeys = new Map<string, readonly string[]>();
  const ownKeysOf = (name: string): readonly string[] => {
    let own = ownKeys.get(name);
    if (!own) {
      own = ownKeyIds(encryptor, name);
      ownKeys.set(name, own);
    }
    return own;
  };
  const useOf = (name: string): KeyUse => {
    clients[name] ??= newUse(ownKeysOf(name));
    return clients[name];
  };
  if (client !== undefined) useOf(client);
  let looked = 0;
  const look = async (names: string[]) => {
    // The first bytes only: a payload may have megabytes.
    const heads = await Promise.all(names.map((name) => redis.getrangeBuffer(name, 0, HEAD_BYTES - 1)));
    for (const [index, head] of heads.entries()) {
      // Expired since it was listed.
      if (head.length === 0) continue;
      const id = keyIdOf(head);
      const owner = clientOfPlace((names[index] as string).slice(keys.prefix.length + 1));
      const isTheirs =
        owner !== undefined &&
        (client !== undefined ||
          ownKeysOf(owner).length > 0 ||
          (id !== undefined && encryptor.on && !encryptor.keys.includes(id)));
      const use = isTheirs ? useOf(owner) : ofInstallation;
      if (id === undefined) use.plain += 1;
      else {
        use.sealed[id] = (use.sealed[id] ?? 0) + 1;
        const isKnown = encryptor.keys.includes(id) || use.configured.includes(id);
        if (!isKnown && !use.missing.includes(id)) use.missing.push(id);
      }
    }
    looked += names.length;
  };
  for (const pattern of encryptedPatterns(keys, client)) {
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
  return { ...ofInstallation, clients, complete: looked < MAX_VALUES };
}

function newUse(keys: readonly string[]): KeyUse {
  return { key: keys[0] ?? null, configured: [...keys], sealed: {}, plain: 0, missing: [] };
}

/** Ids of the keys that a client alone has; none where they cannot be read. */
function ownKeyIds(encryptor: Store['encryptor'], client: string): readonly string[] {
  try {
    const all = encryptor.keysOf(client);
    return all.slice(0, all.length - encryptor.keys.length);
  } catch {
    return [];
  }
}
