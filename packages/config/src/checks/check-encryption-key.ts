import { type EncryptionKey, readEncryptionKeys, variablePrefix } from '@wrapup/call';
import { type Finding, isMap, type Place } from '@wrapup/findings';
import { UNSET, type YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import { weaknessOfKey } from './weak-secret.ts';

const MAKE = 'run: openssl rand -base64 32';

/** The keys of a client's own, and where its file names them. */
export interface OwnKeys {
  keys: readonly EncryptionKey[];
  at: Place;
}

/** Reads `encryption_key:` of a client's file. @returns undefined where it has none, or what it has are no keys */
export function readOwnKeys(
  { encryption_key }: Pick<WrapupFile, 'encryption_key'>,
  { report, origin, root, isSpared }: YamlDocument,
  client: string | undefined,
): OwnKeys | undefined {
  if (isSpared(['encryption_key'])) return undefined;
  const emptied = root && isMap(root) ? root.emptied?.get('encryption_key') : undefined;
  if (emptied) {
    // Not as if there were none: what is kept from now on would be under the installation's key.
    const message = `encryption_key: ${emptied.variables[0]} is set to nothing`;
    report.error('bad-key', message, emptied.at, 'set it to the key, or take the line out to use the installation’s');
  }
  if (encryption_key === undefined) return undefined;
  if (client === undefined) {
    const message = 'encryption_key: belongs into the file of a client, as its own';
    const hint = 'the key of the whole installation is WRAPUP_ENCRYPTION_KEY';
    report.error('outside-client', message, origin(['encryption_key']).key, hint);
    return undefined;
  }
  if (encryption_key === UNSET) return undefined;
  const { value: at, variables } = origin(['encryption_key']);
  const [variable] = variables;
  if (variable === undefined) {
    // The text of the file is kept in Redis, and in version control.
    const message = 'encryption_key: must come from a variable, so that the key is not kept beside what it encrypts';
    report.error('bad-key', message, at, `write encryption_key: "\${${variablePrefix(client)}_ENCRYPTION_KEY}"`);
    return undefined;
  }
  const into = ` and put it into ${variable}`;
  try {
    const keys = readEncryptionKeys(encryption_key, 'encryption_key');
    const [current] = keys;
    const weakness = current && weaknessOfKey(current);
    if (weakness)
      report.warn('weak-key', `encryption_key: key 1 ${weakness}`, at, `${MAKE}${into}, in front of this one`);
    return keys.length > 0 ? { keys, at } : undefined;
  } catch (error) {
    report.error('bad-key', (error as Error).message, at, `${MAKE}${into}; several stand in a row with commas between`);
    return undefined;
  }
}

/** Whose keys they are. */
interface KeyHolder {
  client: string;
  own: OwnKeys | undefined;
}

/**
 * Warnings about keys that several have: what is kept of one client could be opened with what another one has.
 * @param installation keys of the installation
 */
export function checkSharedKeys(
  holders: readonly KeyHolder[],
  installation: readonly EncryptionKey[],
): { client: string; finding: Finding }[] {
  const byId = new Map<string, string[]>();
  for (const { client, own } of holders)
    for (const { id } of own?.keys ?? []) byId.set(id, [...(byId.get(id) ?? []), client]);
  const ofInstallation = new Set(installation.map(({ id }) => id));
  return holders.flatMap(({ client, own }) => {
    const [current] = own?.keys ?? [];
    if (!own || !current) return [];
    const others = (byId.get(current.id) ?? []).filter((name) => name !== client);
    const isInstallations = ofInstallation.has(current.id);
    if (others.length === 0 && !isInstallations) return [];
    // A message goes to the client itself and names no other one; a hint does not.
    const finding: Finding = {
      severity: 'warning',
      code: 'shared-key',
      message: isInstallations
        ? 'encryption_key: it is a key of the installation, so that it keeps nothing apart'
        : 'encryption_key: another client has the same key, so that it keeps nothing apart',
      hint: `${isInstallations ? 'it is in WRAPUP_ENCRYPTION_KEY' : `it is also that of ${others.join(', ')}`}: ${MAKE}, put it in front, then wrapup encryption migrate --client ${client}`,
      at: own.at,
    };
    return [{ client, finding }];
  });
}
