import { chmodSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * Writes a file whole or not at all, whatever happens meanwhile. What is there keeps its mode, and a symbolic link stays one:
 * the file that it leads to is replaced.
 * @param mode of a file that is not there yet
 * @throws Error of the file system; nothing has changed then
 */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const isThere = existsSync(file);
  const path = isThere ? realpathSync(file) : file;
  const next = `${path}.${process.pid}.tmp`;
  writeFileSync(next, text, { flag: 'wx', mode });
  try {
    if (isThere) chmodSync(next, statSync(path).mode);
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** Backups of one file; more are not made. */
const MOST_BACKUPS = 100;

/**
 * Keeps the text of a file beside it, as `<file>.bak`, `.bak-2` and so on: a backup that is there already is older, and stays.
 * @returns path of the backup
 * @throws Error of the file system
 */
export function keepBackup(file: string, text: string): string {
  for (let number = 1; ; number += 1) {
    const backup = number === 1 ? `${file}.bak` : `${file}.bak-${number}`;
    try {
      writeFileSync(backup, text, { flag: 'wx' });
      return backup;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number === MOST_BACKUPS) throw error;
    }
  }
}
