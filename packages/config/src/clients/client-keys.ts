/** The keys of clients for commands, which need those of one whose file has errors elsewhere, or was put aside, as well. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type EncryptionKey, variablePrefix } from '@wrapup/call';
import { readOwnKeys } from '../checks/check-encryption-key.ts';
import { checkShape } from '../checks/check-shape.ts';
import { foreignVariable, type LoadParts, showPath } from '../config-file.ts';
import { CLIENT_LIMITS, readDocument } from '../file/document.ts';
import { FileSet } from '../file/file-set.ts';
import { VariableError } from '../file/variables.ts';
import { clientFile, configFileOf, type LoadOptions, listClients, removedClientFile } from '../load.ts';

/**
 * @returns gives the keys of a client's own, as its file names them when it is first asked for; undefined where it has none.
 * Throws a VariableError where its file names some that cannot be read
 */
export function readClientKeys(
  options: Pick<LoadOptions, 'file' | 'env'> = {},
): (client: string) => readonly EncryptionKey[] | undefined {
  const { env = process.env } = options;
  const root = resolve(configFileOf(options));
  const folder = dirname(root);
  const files = new FileSet();
  const known = new Map<string, readonly EncryptionKey[] | undefined>();
  let rights: Pick<LoadParts, 'clients' | 'variables'> | undefined;
  const textOf = (file: string, client: string): string | undefined => {
    const text = files.read(file);
    if (text !== undefined || !isThere(file)) return text;
    // Not as if it had none: what is kept for it would be under the installation's key.
    const message = `the keys of client ${client} cannot be read: ${showPath(file)} is there, and cannot be read`;
    throw new VariableError('encryption_key', message, 'give the user that this runs as the right to read the file');
  };
  const read = (client: string): readonly EncryptionKey[] | undefined => {
    const [file, text] =
      [clientFile(folder, client), removedClientFile(folder, client)]
        .map((name) => [name, textOf(name, client)] as const)
        .find(([, one]) => one !== undefined) ?? [];
    if (file === undefined || !text?.includes('encryption_key')) return undefined;
    rights ??= {
      clients: new Map(listClients(folder).clients.map((name) => [variablePrefix(name), name])),
      variables: checkShape(readDocument(files.read(root) ?? '', showPath(root))).client_variables,
    };
    // One that was put aside keeps the right to its own variables.
    const clients = new Map([...rights.clients, [variablePrefix(client), client]]);
    const { variables } = rights;
    const document = readDocument(text, showPath(file), env, {
      limits: CLIENT_LIMITS,
      refused: (variable) => foreignVariable(variable, client, { clients, variables }),
    });
    const own = readOwnKeys(checkShape(document), document, client);
    if (own) return own.keys;
    const { value: at, variables: named } = document.origin(['encryption_key']);
    const finding = document.report.findings.find(
      (one) => one.code === 'bad-key' || (one.at?.line === at.line && one.at.column === at.column),
    );
    if (!finding && document.root) return undefined;
    throw new VariableError(
      named[0] ?? 'encryption_key',
      `the keys of client ${client} cannot be read: ${finding?.message ?? 'its file has errors'}`,
      finding?.hint ?? `wrapup check --client ${client} shows what is wrong`,
    );
  };
  return (client) => {
    if (!known.has(client)) known.set(client, read(client));
    return known.get(client);
  };
}

/** Also where it is not known, as the folder or what a link leads to cannot be read. */
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
