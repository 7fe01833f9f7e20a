import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type EncryptionKey, readEncryptionKeys, variablePrefix } from '@wrapup/call';
import type { DestinationKind, Log } from '@wrapup/destination';
import { type Finding, formatFinding } from '@wrapup/findings';
import { checkSharedKeys } from './checks/check-encryption-key.ts';
import { CLIENTS_FOLDER } from './checks/compile-mapping-file.ts';
import { claimsText, type InForce, type Settled, settleClashes } from './clients/settle-clashes.ts';
import {
  type ConfigFile,
  errorsOf,
  type LoadParts,
  loadConfigFile,
  MappingCache,
  rightsOf,
  showPath,
} from './config-file.ts';
import { FileSet, hashOf } from './file/file-set.ts';
import { isName } from './file/schema.ts';
import { readVariable } from './file/variables.ts';
import { KINDS } from './kinds.ts';
import type { Client, Config } from './model/config.ts';
import { guardsDoor, type Reader } from './model/reader.ts';

export type { Settled } from './clients/settle-clashes.ts';
export { showPath } from './config-file.ts';

const DEFAULT_FILE = 'config/wrapup.yaml';

/** What a client's file and its mappings said when they last had no error, by path from the folder of wrapup.yaml. */
export type ClientTexts = Record<string, string>;

/** Keeps the last good files of each client beyond the life of a process. */
export interface LastGoodFiles {
  /** Undefined where the client never had good files. Rejects while the store does not answer. */
  read(client: string): Promise<ClientTexts | undefined>;
  /** What ingress has settled; undefined where it never said. Rejects as `read` does. Absent: nothing is known of it. */
  settled?(): Promise<Settled | undefined>;
}

export interface LoadOptions {
  /** Path of wrapup.yaml; default `WRAPUP_CONFIG`, else `config/wrapup.yaml`, relative to the working directory. */
  file?: string;
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /**
   * Reads no variable: `${X:-default}` is its default, and any other stands for a value that fits, so that what is written in
   * the files can be checked where no secret is. What is loaded cannot be run.
   */
  without_variables?: boolean;
  /** Lines of mappings that mean something else than in the version before are warnings. */
  tells_changes?: boolean;
  /** Contents of files that are not on the disk yet, by absolute path. */
  unsaved?: ReadonlyMap<string, string>;
  /** Default: all kinds of this version. */
  kinds?: Record<string, DestinationKind>;
  /** The process that reads, which may lack variables that it never uses. Default: nothing may be missing. */
  reader?: Reader;
  /** What is in force: files that have not changed are not read again, and a client whose file is broken keeps it. */
  previous?: Config;
  /** Asked for a client whose file is broken and which has nothing in force. Default: such a client is unusable. */
  lastGood?: LastGoodFiles;
}

export interface Loaded {
  /**
   * Absent when there is an error in wrapup.yaml: it is taken whole or not at all. A client whose file has an error is in
   * it with what its file said before, or as unusable.
   */
  config?: Config;
  /** Findings in the file of each client and its mappings; those of a shared mapping are among those of every client. */
  clientFindings: ReadonlyMap<string, readonly Finding[]>;
  /** In the order of the files. Places name files relative to the working directory where they are inside it. */
  findings: Finding[];
  /** What was read, or looked for. */
  files: FileSet;
  /** The last good files of a client could not be asked for: worth another load. */
  incomplete: boolean;
}

interface Origins extends InForce {
  names: string[];
  hash: string;
  /** By client: what was read last, which differs from what is in force where the file has errors. */
  read: Map<string, ConfigFile>;
}

const ORIGINS = new WeakMap<Config, Origins>();

/** The files that a configuration was made of, mounted secrets included, and the hash of their contents. */
export function filesOf(config: Config): { names: string[]; hash: string } {
  return ORIGINS.get(config) ?? { names: [config.file], hash: '' };
}

/** A file that is in force as it is. */
export interface GoodFile {
  /** Of the file and its mappings, first 12 hex digits of a sha256. */
  hash: string;
  texts: ClientTexts;
  /** What its sources share with no other file, secrets among it; of no use where the process reads none. */
  claims: string;
}

/** The file of each client in state `current`, and wrapup.yaml under no name. */
export function goodFiles(config: Config): Map<string, GoodFile> {
  const good = new Map<string, GoodFile>();
  const origins = ORIGINS.get(config);
  if (!origins) return good;
  for (const [client, file] of [['', origins.root] as const, ...origins.inForce]) {
    if (client !== '' && config.clients[client]?.state !== 'current') continue;
    good.set(client, { hash: file.hash, texts: file.texts, claims: claimsText(file) });
  }
  return good;
}

/**
 * Loads and checks wrapup.yaml, the files of the clients, and every mapping they name. Rejects for no mistake of the user:
 * those are findings.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Loaded> {
  const given = options.env ?? process.env;
  const { without_variables = false, tells_changes = false, unsaved } = options;
  const env = without_variables ? {} : given;
  const kinds = options.kinds ?? KINDS;
  const file = resolve(configFileOf({ ...options, env: given }));
  const folder = dirname(file);
  const disk = new FileSet();
  const files = unsaved ? new FileSet({ read: (name) => unsaved.get(name) ?? disk.read(name) }) : disk;
  const text = files.read(file);
  if (text === undefined) return { files, findings: [cannotRead(file)], clientFindings: new Map(), incomplete: false };

  const { clients, findings: misnamed } = listClients(folder);
  const parts: LoadParts = {
    ...{ folder, env, kinds, files, without_variables, tells_changes },
    reader: options.reader,
    clients: new Map(clients.map((client) => [variablePrefix(client), client])),
    variables: {},
    mappings: new MappingCache(),
  };
  const root = loadConfigFile(file, text, undefined, parts);
  parts.variables = root.variables;
  const known = options.previous && ORIGINS.get(options.previous);
  const read = new Map<string, ConfigFile>();
  for (const client of clients) {
    const path = clientFile(folder, client);
    const written = files.read(path);
    // Removed since the folder was listed.
    if (written !== undefined)
      read.set(
        client,
        unchanged(client, known?.read.get(client), parts) ?? loadConfigFile(path, written, client, parts),
      );
  }
  let incomplete = false;
  const ask = async <Answer>(question: () => Promise<Answer> | undefined): Promise<Answer | undefined> => {
    try {
      return await question();
    } catch {
      incomplete = true;
      return undefined;
    }
  };
  const { candidates, clashes } = await settleClashes({
    ...{ root, read, known },
    restore: async (client) => {
      const texts = await ask(async () => options.lastGood?.read(client));
      return texts && restoreClient(client, texts, parts);
    },
    settled: () => ask(async () => options.lastGood?.settled?.()),
    seesClaims: guardsDoor(options.reader),
  });
  // What is in force is compared: a file with errors says nothing.
  const holders = [...candidates].map(([client, { file: used }]) => ({ client, own: used?.own_keys }));
  const ofInstallation = holders.some(({ own }) => own) ? installationKeys(env) : [];
  for (const { client, finding } of checkSharedKeys(holders, ofInstallation))
    clashes.set(client, [...(clashes.get(client) ?? []), finding]);
  const clashesOf = (client: string | undefined) => clashes.get(client) ?? [];
  const clientFindings = new Map([...read].map(([client, one]) => [client, [...one.findings, ...clashesOf(client)]]));
  const findings = [
    ...new Set([...[...root.findings, ...clashesOf(undefined), ...misnamed], ...[...clientFindings.values()].flat()]),
  ];
  if (errorsOf([...root.findings, ...clashesOf(undefined)]).length > 0)
    return { findings, clientFindings, files, incomplete: false };

  const inForce = new Map<string, ConfigFile>();
  const states: Record<string, Client> = {};
  for (const [client, one] of read) {
    const errors = errorsOf(clientFindings.get(client) ?? []);
    const used = candidates.get(client)?.file;
    if (used) inForce.set(client, used);
    states[client] = {
      name: client,
      file: one.file,
      state: errors.length === 0 ? 'current' : used ? 'last_good' : 'unusable',
      hash: used?.hash ?? '',
      errors,
      ...(used?.alerts && { alerts: used.alerts }),
      ...(used?.password !== undefined && { password: used.password }),
      ...(used?.has_login && { has_login: true }),
      ...(used?.own_keys && { encryption_keys: used.own_keys.keys }),
      retention: used?.retention ?? root.retention,
    };
  }

  const all = [root, ...inForce.values()];
  const config: Config = {
    file,
    hash: inForce.size === 0 ? root.hash : hashOf(all.map(({ hash }) => hash)),
    sources: Object.assign({}, ...all.map(({ sources }) => sources)),
    connections: Object.assign({}, ...all.map(({ connections }) => connections)),
    routes: all.flatMap(({ routes }) => routes),
    ...(root.alerts && { alerts: root.alerts }),
    digests: all.flatMap(({ digests }) => digests),
    retention: root.retention,
    clients: states,
  };
  const every = new FileSet(files);
  for (const { files: one } of [root, ...read.values()]) for (const name of one.names) every.read(name);
  ORIGINS.set(config, { names: every.names, hash: every.hash(folder), root, read, inForce });
  return { config, findings, clientFindings, files: every, incomplete };
}

/** What can be read of them; the process itself says what is wrong with them. */
function installationKeys(env: NodeJS.ProcessEnv): EncryptionKey[] {
  try {
    return readEncryptionKeys(readVariable('WRAPUP_ENCRYPTION_KEY', env) ?? '', 'WRAPUP_ENCRYPTION_KEY');
  } catch {
    return [];
  }
}

/** Path of wrapup.yaml. */
export function configFileOf({ file, env = process.env }: Pick<LoadOptions, 'file' | 'env'>): string {
  return file ?? (env.WRAPUP_CONFIG || DEFAULT_FILE);
}

/** Path of a client's file. */
export function clientFile(folder: string, client: string): string {
  return join(folder, CLIENTS_FOLDER, `${client}.yaml`);
}

/** Where `client remove` puts the file of a client: nothing reads it there. */
export function removedClientFile(folder: string, client: string): string {
  return join(folder, CLIENTS_FOLDER, `_${client}.yaml`);
}

/** Clients by the names of their files, sorted. A name that no client can have is an error, beside which the others go on. */
export function listClients(folder: string): { clients: string[]; findings: Finding[] } {
  const clients: string[] = [];
  const findings: Finding[] = [];
  for (const entry of readFolder(join(folder, CLIENTS_FOLDER))) {
    // An editor's files, and an agency's templates.
    if (/^[._#]|~$/.test(entry.name) || entry.isDirectory()) continue;
    const [, name = '', ending] = /^(.*?)(\.ya?ml)?$/.exec(entry.name) ?? [];
    if (ending === undefined) continue;
    if (ending === '.yaml' && isName(name)) clients.push(name);
    else {
      findings.push({
        severity: 'error',
        code: 'bad-name',
        message: `${CLIENTS_FOLDER}/${entry.name} is the file of no client`,
        hint: 'name it after the client: small letters, digits and single dashes, at most 40 characters, then .yaml',
        at: { file: showPath(join(folder, CLIENTS_FOLDER, entry.name)), line: 1, column: 1 },
      });
    }
  }
  return { clients: clients.sort(), findings };
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** What was read of a client before, where nothing that it was made of has changed. */
function unchanged(client: string, before: ConfigFile | undefined, parts: LoadParts): ConfigFile | undefined {
  const { folder, files } = parts;
  if (!before || before.rights !== rightsOf(client, parts)) return undefined;
  const { names } = before.files;
  return before.files.hash(folder) === files.hash(folder, names) ? before : undefined;
}

/** A client as its last good files had it; undefined when they have errors now, as a variable is gone. */
function restoreClient(client: string, texts: ClientTexts, parts: LoadParts): ConfigFile | undefined {
  const byPath = new Map(Object.entries(texts).map(([path, text]) => [join(parts.folder, path), text]));
  const path = clientFile(parts.folder, client);
  const text = byPath.get(path);
  if (text === undefined) return undefined;
  const stored: Pick<FileSet, 'read'> = { read: (name) => byPath.get(name) };
  const restored = loadConfigFile(path, text, client, {
    ...parts,
    files: new FileSet(stored),
    mappings: new MappingCache(),
  });
  return errorsOf(restored.findings).length === 0 ? restored : undefined;
}

function cannotRead(file: string): Finding {
  const shown = showPath(file);
  return {
    severity: 'error',
    code: 'no-config',
    message: `cannot read the configuration ${shown}`,
    hint: `give its path in WRAPUP_CONFIG or with --config; the default is ${DEFAULT_FILE}`,
    at: { file: shown, line: 1, column: 1 },
  };
}

/** For processes: loads the configuration, logs what was found, and ends the process with code 1 when wrapup.yaml has errors. */
export async function loadConfigOrExit(log: Log, options: LoadOptions = {}): Promise<Loaded & { config: Config }> {
  const { config, ...loaded } = await loadConfig(options);
  logFindings(log, loaded.findings);
  if (config) {
    log.info({ file: showPath(config.file), hash: config.hash }, 'configuration loaded');
    logClients(log, config);
    return { ...loaded, config };
  }
  log.error({ findings: loaded.findings.length }, 'the configuration has errors; nothing was started');
  process.exit(1);
}

/** One log line a finding. */
export function logFindings(log: Log, findings: Finding[]): void {
  for (const finding of findings) {
    const { hint, ...rest } = finding;
    log[finding.severity === 'error' ? 'error' : 'warn'](
      { code: finding.code, ...(hint ? { hint } : {}) },
      formatFinding(rest),
    );
  }
}

/** One log line for each client that is not as its file says. */
export function logClients(log: Log, { clients }: Config): void {
  for (const { name, state, errors } of Object.values(clients)) {
    if (state === 'current') continue;
    log.error(
      { client: name, state, findings: errors.length },
      state === 'last_good'
        ? 'the file of a client has errors; its last good configuration stays in force, and the other clients go on'
        : 'the file of a client has errors; its webhooks are answered 503 until it is right, and the other clients go on',
    );
  }
}
