/** The mapping of a route while it is edited: read, compiled as its route would have it, checked, and written in its place. */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { clientOf, own } from '@wrapup/call';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import { CLIENTS_FOLDER, compileMappingFile, isShared } from './checks/compile-mapping-file.ts';
import { FileSet } from './file/file-set.ts';
import { keepBackup, replaceFile } from './file/replace-file.ts';
import { newErrors } from './fix-mappings.ts';
import { KINDS } from './kinds.ts';
import { loadConfig } from './load.ts';
import type { Config, Route } from './model/config.ts';
import type { Reader } from './model/reader.ts';
import { usersFile } from './users/users-file.ts';

/** Where the mapping of a route stands, and by which rules it is read. Plain data, for threads too. */
export interface MappingPlace {
  /** Absolute path of wrapup.yaml. */
  config: string;
  /** Path of the mapping from there, with `/`. */
  path: string;
  /** Whose file has the route. Absent: wrapup.yaml. */
  client?: string;
  /** `hubspot`, `salesforce`, `http`. */
  kind: string;
}

/** Undefined where the connection of the route is of no kind of this version. */
export function placeOfMapping({ file, connections }: Pick<Config, 'file' | 'connections'>, route: Route) {
  const kind = own(connections, route.to)?.kind;
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) return undefined;
  const client = clientOf(route.name);
  const place: MappingPlace = { config: file, path: route.mapping.name, kind };
  return client === undefined ? place : { ...place, client };
}

/** Text of the file, and its digest, by which a later change of it is known. Undefined where it cannot be read. */
export function readMapping(place: MappingPlace): { text: string; digest: string } | undefined {
  const text = new FileSet().read(fileOf(place));
  return text === undefined ? undefined : { text, digest: digestOf(text) };
}

function fileOf({ config, path }: MappingPlace): string {
  return join(dirname(config), path);
}

/** sha256 of a text, in hex. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Compiles the mapping as if its file had this text. What it extends is read, but for files that are no mappings: what is found
 * wrong with one would say what stands in it.
 */
export function compileEdited(place: MappingPlace, text: string): { mapping?: CompiledMapping; findings: Finding[] } {
  const { config, path, client, kind: name } = place;
  const kind = own(KINDS, name);
  if (!kind) throw new TypeError(`there is no destination of kind ${name}`);
  const folder = dirname(config);
  const file = fileOf(place);
  const clients = join(folder, CLIENTS_FOLDER);
  const isClosed = (one: string) => one === config || one === usersFile(config) || dirname(one) === clients;
  const disk = new FileSet();
  const files = new FileSet({
    read: (one) => (one === file ? text : isClosed(one) ? undefined : disk.read(one)),
  });
  return compileMappingFile({ path, folder, client, kind, files, tells_changes: false });
}

/** Whether a login may change the file: one that is bound to a client changes nothing that others share. */
export function isOwnMapping({ path, client }: MappingPlace, bound: string | undefined): boolean {
  return bound === undefined || (client === bound && !isShared(path));
}

/** Errors that the configuration as a whole would have with this text, and has not now. */
export async function errorsWith(place: MappingPlace, text: string, reader: Reader): Promise<Finding[]> {
  const options = { file: place.config, reader };
  const before = await loadConfig(options);
  return newErrors(await loadConfig({ ...options, unsaved: new Map([[fileOf(place), text]]) }), before);
}

/** Why a mapping is not written. Nothing has changed then. */
export type MappingRefusal = 'changed' | 'link' | 'gone' | 'not_writable';

/**
 * Puts a text in place of the file, whole or not at all, and keeps the one from before beside it.
 * @param digest of the text that was edited: a file that says something else by now is left alone
 * @param before called when nothing speaks against it any more, and before anything is written
 */
export async function writeMapping(
  place: MappingPlace,
  text: string,
  digest: string,
  before: (now: string) => Promise<void>,
): Promise<{ backup: string; digest: string } | { refused: MappingRefusal }> {
  const { path } = place;
  const file = fileOf(place);
  const current = new FileSet().read(file);
  if (current === undefined) return { refused: 'gone' };
  // A link may lead out of the folder.
  if (realpathSync(file) !== join(realpathSync(dirname(place.config)), path)) return { refused: 'link' };
  if (digestOf(current) !== digest) return { refused: 'changed' };
  await before(current);
  try {
    if (readFileSync(file, 'utf8') !== current) return { refused: 'changed' };
    const backup = keepBackup(file, current);
    replaceFile(file, text);
    return { backup: join(dirname(path), basename(backup)), digest: digestOf(text) };
  } catch {
    return { refused: 'not_writable' };
  }
}
