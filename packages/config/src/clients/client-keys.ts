/** The keys of clients for commands, which need those of one whose file has errors elsewhere, or was put aside, as well. */
import { dirname, resolve } from 'node:path';
import { type EncryptionKey, variablePrefix } from '@wrapup/call';
import { readOwnKeys } from '../checks/check-encryption-key.ts';
import { checkShape } from '../checks/check-shape.ts';
import { foreignVariable, showPath } from '../config-file.ts';
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
  const read = (client: string): readonly EncryptionKey[] | undefined => {
    const file = [clientFile(folder, client), removedClientFile(folder, client)].find(
      (name) => files.read(name) !== undefined,
    );
    const text = file && files.read(file);
    if (!text?.includes('encryption_key')) return undefined;
    // One that was put aside keeps the right to its own variables.
    const clients = new Map([...listClients(folder).clients, client].map((name) => [variablePrefix(name), name]));
    const variables = checkShape(readDocument(files.read(root) ?? '', showPath(root))).client_variables;
    const document = readDocument(text, showPath(file as string), env, {
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
