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
