/** Where wrapup.yaml meets the mapping language. */
import { readdirSync } from 'node:fs';
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
  kind: DestinationKind;
  files: FileSet;
  /** Where the route says it. */
  at?: Place;
}

/** Reads and compiles the mapping of a route. Places in its findings are relative to the folder. */
export function compileMappingFile(file: MappingFile): { mapping?: CompiledMapping; findings: Finding[] } {
  const { folder, kind, files, at } = file;
  const name = posix.normalize(file.path);
  const refuse = (message: string, hint: string): { findings: Finding[] } => ({
    findings: [{ severity: 'error', code: 'no-mapping', message, hint, ...(at ? { at } : {}) }],
  });
  if (name.startsWith('..') || posix.isAbsolute(name) || /[\\\0]|^[A-Za-z]:/.test(name)) {
    return refuse(`the mapping ${file.path} is not inside the folder of wrapup.yaml`, 'name it from there: mappings/…');
  }
  const text = files.read(join(folder, name));
  if (text === undefined) {
    return refuse(`cannot read the mapping ${name}`, `beside wrapup.yaml: ${suggest(name, listYaml(folder))}`);
  }
  return compileMapping({ name, text, dialect: kind.dialect, readFile: (path) => files.read(join(folder, path)) });
}

/** YAML files in a folder and the folders in it, for suggestions. */
function listYaml(folder: string): string[] {
  const names: string[] = [];
  const list = (under: string) => {
    for (const item of readdirSync(join(folder, under), { withFileTypes: true })) {
      const name = posix.join(under, item.name);
      if (item.isDirectory() && under === '') list(name);
      else if (/\.ya?ml$/.test(item.name) && name !== 'wrapup.yaml') names.push(name);
    }
  };
  list('');
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
