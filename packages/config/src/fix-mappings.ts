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
  const editsOf = (): FileEdit[] =>
    [...fixableFiles(loaded, options, client)].flatMap(([file, findings]) => {
      const before = unsaved.get(file) ?? disk.read(file);
      if (before === undefined || refused.has(file)) return [];
      const edited = applyEdits(before, findings);
      return edited.text === before ? [] : [{ file, before, edited }];
    });
  /** The configuration as it is with them; undefined where they cause an error. */
  const tryOut = async (edits: readonly FileEdit[]): Promise<Loaded | undefined> => {
    const texts = new Map([...unsaved, ...edits.map(({ file, edited }) => [file, edited.text] as const)]);
    const trial = await loadConfig({ ...options, unsaved: texts });
    return newErrors(trial, loaded).length > 0 ? undefined : trial;
  };
  const take = (edits: readonly FileEdit[], trial: Loaded) => {
    for (const { file, before, edited } of edits) {
      unsaved.set(file, edited.text);
      const known = fixed.get(file) ?? { file, before, after: before, fixes: [] };
      fixed.set(file, { ...known, after: edited.text, fixes: [...known.fixes, ...edited.made] });
    }
    loaded = trial;
  };
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const edits = editsOf();
    if (edits.length === 0) break;
    const together = await tryOut(edits);
    if (together) {
      take(edits, together);
      continue;
    }
    for (const edit of edits) {
      const alone = edits.length > 1 ? await tryOut([edit]) : undefined;
      if (alone) {
        take([edit], alone);
        continue;
      }
      refused.add(edit.file);
      const { before } = edit;
      const withSome = (some: readonly Fixable[]): FileEdit => ({ ...edit, edited: applyEdits(before, some) });
      const isGood = async (some: readonly Fixable[]) => (await tryOut([withSome(some)])) !== undefined;
      const rest = withSome(await harmlessOf(edit.edited.made, isGood));
      const without = rest.edited.text === before ? undefined : await tryOut([rest]);
      if (without) take([rest], without);
    }
  }
  return { files: [...fixed.values()], loaded };
}

interface FileEdit {
  /** Absolute path. */
  file: string;
  before: string;
  edited: EditedText<Fixable>;
}

/** Those of several changes that cause no error, where all together do: looked for by halves, as few of them cause one. */
async function harmlessOf(
  changes: readonly Fixable[],
  isGood: (some: readonly Fixable[]) => Promise<boolean>,
): Promise<Fixable[]> {
  if (changes.length <= 1) return [];
  const middle = changes.length >> 1;
  const good: Fixable[] = [];
  for (const half of [changes.slice(0, middle), changes.slice(middle)])
    good.push(...((await isGood(half)) ? half : await harmlessOf(half, isGood)));
  return good;
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

/** Errors that were not there before. Lines change with what is edited, so that they say nothing. */
export function newErrors(now: Loaded, before: Loaded): Finding[] {
  const keyOf = ({ at, code, message }: Finding) => `${at?.file ?? ''} ${code} ${message}`;
  const known = new Set(errorsOf(before.findings).map(keyOf));
  return errorsOf(now.findings).filter((error) => !known.has(keyOf(error)));
}
