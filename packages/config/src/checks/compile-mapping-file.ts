/** Where wrapup.yaml meets the mapping language. */
import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { DestinationKind } from '@wrapup/destination';
import { type Finding, type Place, suggest } from '@wrapup/findings';
import { type CompiledMapping, compileMapping, compileWhen, type WhenOptions } from '@wrapup/mapping';
import type { YamlDocument } from '../file/document.ts';
import type { FileSet } from '../file/file-set.ts';

export interface MappingFile {
  /** As the route says it. */
  path: string;
  /** Folder of wrapup.yaml. */
  folder: string;
  /** Whose file has the route; undefined for wrapup.yaml. */
  client: string | undefined;
  kind: DestinationKind;
  files: FileSet;
  /** Lines that mean something else than in the version before are warnings. */
  tells_changes: boolean;
  /** Where the route says it. */
  at?: Place;
}

/** Where mappings stand that all clients can name. */
const MAPPINGS_FOLDER = 'mappings';
/** Beside wrapup.yaml: `<client>.yaml` for each client, and a folder `<client>/` for mappings of its own. */
export const CLIENTS_FOLDER = 'clients';

/**
 * Reads and compiles the mapping of a route. Places in its findings are relative to the folder.
 *
 * A client's route is refused what belongs to another before anything is read, so that the answer is the same
 * whether a file is there or not.
 */
export function compileMappingFile(file: MappingFile): { mapping?: CompiledMapping; findings: Finding[] } {
  const { folder, client, kind, files, at, tells_changes } = file;
  const name = posix.normalize(file.path);
  const refuse = (message: string, hint: string, code = 'no-mapping'): { findings: Finding[] } => ({
    findings: [{ severity: 'error', code, message, hint, ...(at ? { at } : {}) }],
  });
  if (name.startsWith('..') || posix.isAbsolute(name) || /[\\\0]|^[A-Za-z]:/.test(name)) {
    return refuse(`the mapping ${file.path} is not inside the folder of wrapup.yaml`, 'name it from there: mappings/…');
  }
  if (!mayRead(client, name)) {
    return refuse(
      `the mapping ${file.path} is in no folder of client ${client}`,
      `put it into ${CLIENTS_FOLDER}/${client}/, or into ${MAPPINGS_FOLDER}/, where all clients share it`,
      'outside-client',
    );
  }
  const text = files.read(join(folder, name));
  if (text === undefined) {
    return refuse(`cannot read the mapping ${name}`, `beside wrapup.yaml: ${suggest(name, listYaml(folder, client))}`);
  }
  // One that is shared reads the same for all clients, so that none of theirs is among what it extends.
  const owner = client !== undefined && isShared(name) ? '' : client;
  let refused = false;
  const compiled = compileMapping({
    ...{ name, text, dialect: kind.dialect, tells_changes },
    readFile(path) {
      if (mayRead(owner, path)) return files.read(join(folder, path));
      refused = true;
      return undefined;
    },
  });
  if (!refused) return compiled;
  const hint = `for a client, it can extend what is in ${owner ? `${CLIENTS_FOLDER}/${owner}/ and ` : ''}${MAPPINGS_FOLDER}/, and presets`;
  return {
    ...compiled,
    findings: compiled.findings.map((finding) =>
      finding.code === 'missing-file'
        ? { ...finding, code: 'outside-client', message: `the mapping ${name} extends what is not its client's`, hint }
        : finding,
    ),
  };
}

/** Whether a path in the folder of wrapup.yaml is of a mapping that all clients can name. */
export function isShared(path: string): boolean {
  return mayRead('', posix.normalize(path));
}

/** @param client undefined for wrapup.yaml, which may read all; empty for what clients share */
function mayRead(client: string | undefined, path: string): boolean {
  if (client === undefined) return true;
  const [first, second] = path.split('/');
  return first === CLIENTS_FOLDER ? client !== '' && second === client : path !== 'wrapup.yaml';
}

/** YAML files in the folders for mappings that a client can name, else in the folder of wrapup.yaml and those in it, for suggestions. */
function listYaml(folder: string, client: string | undefined): string[] {
  const names: string[] = [];
  const list = (under: string) => {
    for (const item of readdirSync(join(folder, under), { withFileTypes: true })) {
      const name = posix.join(under, item.name);
      if (item.isDirectory() && under === '') list(name);
      else if (/\.ya?ml$/.test(item.name) && name !== 'wrapup.yaml') names.push(name);
    }
  };
  for (const one of client === undefined ? [''] : [MAPPINGS_FOLDER, `${CLIENTS_FOLDER}/${client}`])
    if (existsSync(join(folder, one))) list(one);
  return names.slice(0, 50);
}

/**
 * Compiles a condition of wrapup.yaml.
 * @param options `person` when it is evaluated after a person has been looked up
 */
export function compileCondition(
  written: unknown,
  document: YamlDocument,
  path: readonly PropertyKey[],
  options: WhenOptions = {},
): ReturnType<typeof compileWhen>['when'] {
  const { when, findings } = compileWhen(written, (inner, of) => document.origin([...path, ...inner])[of], options);
  document.report.findings.push(...findings);
  return when;
}
