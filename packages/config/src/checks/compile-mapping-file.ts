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
 * A client's route is refused what stands outside of its folders before anything is read, so that the answer is the same
 * whether a file is there or not.
 */
export function compileMappingFile(file: MappingFile): { mapping?: CompiledMapping; findings: Finding[] } {
  const { folder, client, kind, files, at } = file;
  const name = posix.normalize(file.path);
  const refuse = (message: string, hint: string, code = 'no-mapping'): { findings: Finding[] } => ({
    findings: [{ severity: 'error', code, message, hint, ...(at ? { at } : {}) }],
  });
  if (name.startsWith('..') || posix.isAbsolute(name) || /[\\\0]|^[A-Za-z]:/.test(name)) {
    return refuse(`the mapping ${file.path} is not inside the folder of wrapup.yaml`, 'name it from there: mappings/…');
  }
  if (client !== undefined && !isIn(name, foldersOf(client))) {
    return refuse(
      `the mapping ${file.path} is in none of the folders of client ${client}`,
      `put it into ${CLIENTS_FOLDER}/${client}/, or into ${MAPPINGS_FOLDER}/, where all clients share it`,
      'outside-client',
    );
  }
  const text = files.read(join(folder, name));
  if (text === undefined) {
    return refuse(`cannot read the mapping ${name}`, `beside wrapup.yaml: ${suggest(name, listYaml(folder, client))}`);
  }
  // One that is shared reads the same for all clients, so that none of theirs is among what it extends.
  const readable = client === undefined ? undefined : isShared(name) ? [MAPPINGS_FOLDER] : foldersOf(client);
  let refused = false;
  const compiled = compileMapping({
    ...{ name, text, dialect: kind.dialect },
    readFile(path) {
      if (!readable || isIn(path, readable)) return files.read(join(folder, path));
      refused = true;
      return undefined;
    },
  });
  if (!refused || !readable) return compiled;
  const hint = `for a client, it can extend what is in ${readable.map((one) => `${one}/`).join(' and ')}, and presets`;
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
  return isIn(posix.normalize(path), [MAPPINGS_FOLDER]);
}

function foldersOf(client: string): string[] {
  return [MAPPINGS_FOLDER, `${CLIENTS_FOLDER}/${client}`];
}

function isIn(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

/** YAML files in the folders that a client can name, else in the folder of wrapup.yaml and those in it, for suggestions. */
function listYaml(folder: string, client: string | undefined): string[] {
  const names: string[] = [];
  const list = (under: string) => {
    for (const item of readdirSync(join(folder, under), { withFileTypes: true })) {
      const name = posix.join(under, item.name);
      if (item.isDirectory() && under === '') list(name);
      else if (/\.ya?ml$/.test(item.name) && name !== 'wrapup.yaml') names.push(name);
    }
  };
  for (const one of client === undefined ? [''] : foldersOf(client)) if (existsSync(join(folder, one))) list(one);
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
