/** Mappings of earlier versions in the words of this one. */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { applyEdits, type Edit, type Finding } from '@wrapup/findings';
import { errorsOf } from './config-file.ts';
import { FileSet } from './file/file-set.ts';
import { configFileOf, type Loaded, type LoadOptions, loadConfig } from './load.ts';

export interface FixedFile {
  /** Absolute path. */
  file: string;
  before: string;
  after: string;
  /** What was fixed, with places in the text before. */
  fixes: Finding[];
}

export interface FixedMappings {
  files: FixedFile[];
  /** The configuration as it is with the files after. */
  loaded: Loaded;
}

/** A fix can bring to light what hid behind it. */
const MOST_ROUNDS = 5;

/**
 * Makes the changes that findings about mappings ask for, in files of the config folder; presets and what lies outside are
 * left alone. A file in which they would cause an error stays as it is. Nothing is written.
 * @param client whose mappings alone are changed; undefined for all
 */
export async function fixMappings(options: LoadOptions = {}, client?: string): Promise<FixedMappings> {
  const unsaved = new Map<string, string>();
  const fixed = new Map<string, FixedFile>();
  const refused = new Set<string>();
  const disk = new FileSet();
  let loaded = await loadConfig(options);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let changed = false;
    for (const [file, findings] of fixableFiles(loaded, options, client)) {
      const before = unsaved.get(file) ?? disk.read(file);
      if (before === undefined || refused.has(file)) continue;
      const after = applyEdits(
        before,
        findings.map(({ at, fix }) => ({ at, fix }) as Edit),
      );
      if (after === before) continue;
      const trial = await loadConfig({ ...options, unsaved: new Map([...unsaved, [file, after]]) });
      if (hasNewError(trial, loaded)) {
        refused.add(file);
        continue;
      }
      unsaved.set(file, after);
      const known = fixed.get(file) ?? { file, before, after, fixes: [] };
      fixed.set(file, { ...known, after, fixes: [...known.fixes, ...findings] });
      loaded = trial;
      changed = true;
    }
    if (!changed) break;
  }
  return { files: [...fixed.values()], loaded };
}

function fixableFiles(loaded: Loaded, options: LoadOptions, client?: string): Map<string, Finding[]> {
  const all = client === undefined ? loaded.findings : (loaded.clientFindings.get(client) ?? []);
  const fixable = all.filter(({ fix, at }) => fix && at && !at.file.startsWith('preset '));
  const folder = dirname(resolve(configFileOf(options)));
  const byFile = Map.groupBy(fixable, ({ at }) => resolve(at?.file ?? ''));
  return new Map([...byFile].filter(([path]) => isInside(path, folder)));
}

/** Also where a link leads. */
function isInside(path: string, folder: string): boolean {
  try {
    const from = relative(realpathSync(folder), realpathSync(path));
    return !from.startsWith('..') && !isAbsolute(from);
  } catch {
    return false;
  }
}

function hasNewError(now: Loaded, before: Loaded): boolean {
  const keyOf = ({ code, message }: Finding) => `${code} ${message}`;
  const known = new Set(errorsOf(before.findings).map(keyOf));
  return errorsOf(now.findings).some((error) => !known.has(keyOf(error)));
}
