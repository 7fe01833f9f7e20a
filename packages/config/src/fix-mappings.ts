/** Mappings of earlier versions in the words of this one. */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { applyEdits, type EditedText, type Finding, type Fix, type Place } from '@wrapup/findings';
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
 * left alone, and so are lines whose change would cause an error. Nothing is written.
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
      const found = loaded;
      const trialOf = (text: string) => loadConfig({ ...options, unsaved: new Map([...unsaved, [file, text]]) });
      const good = async (some: readonly Fixable[]) =>
        !hasNewError(await trialOf(applyEdits(before, some).text), found);
      let edited: EditedText<Fixable> = applyEdits(before, findings);
      if (edited.text === before) continue;
      if (!(await good(edited.made))) {
        refused.add(file);
        edited = applyEdits(before, await harmlessOf(edited.made, good));
        if (edited.text === before || !(await good(edited.made))) continue;
      }
      unsaved.set(file, edited.text);
      const known = fixed.get(file) ?? { file, before, after: before, fixes: [] };
      fixed.set(file, { ...known, after: edited.text, fixes: [...known.fixes, ...edited.made] });
      loaded = await trialOf(edited.text);
      changed = true;
    }
    if (!changed) break;
  }
  return { files: [...fixed.values()], loaded };
}

/** Those of several changes that cause no error, looked for by halves: few of them do. */
async function harmlessOf(
  changes: readonly Fixable[],
  good: (some: readonly Fixable[]) => Promise<boolean>,
): Promise<Fixable[]> {
  if (changes.length === 0 || (await good(changes))) return [...changes];
  if (changes.length === 1) return [];
  const middle = changes.length >> 1;
  return [...(await harmlessOf(changes.slice(0, middle), good)), ...(await harmlessOf(changes.slice(middle), good))];
}

type Fixable = Finding & { at: Place; fix: Fix };

function fixableFiles(loaded: Loaded, options: LoadOptions, client?: string): Map<string, Fixable[]> {
  const all = client === undefined ? loaded.findings : (loaded.clientFindings.get(client) ?? []);
  const fixable = all.filter(
    (finding): finding is Fixable =>
      finding.fix !== undefined && finding.at !== undefined && !finding.at.file.startsWith('preset '),
  );
  const folder = dirname(resolve(configFileOf(options)));
  const byFile = Map.groupBy(fixable, ({ at }) => resolve(at.file));
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
