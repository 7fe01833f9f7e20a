import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';

/** The files that one loading of the configuration read, each once, so that its hash is of what was really used. */
export class FileSet {
  readonly #texts = new Map<string, string | undefined>();
  readonly #within: Pick<FileSet, 'read'> | undefined;

  /** @param within where files are read from; default the disk. A part of a larger set reads no file again. */
  constructor(within?: Pick<FileSet, 'read'>) {
    this.#within = within;
  }

  /** Text of the file, or undefined when it cannot be read. */
  read(file: string): string | undefined {
    if (!this.#texts.has(file)) {
      this.#texts.set(file, this.#within ? this.#within.read(file) : readText(file));
    }
    return this.#texts.get(file);
  }

  get names(): string[] {
    return [...this.#texts.keys()].sort();
  }

  /**
   * sha256 over names and contents, first 12 hex digits.
   * @param folder names count relative to it, so that two machines with the same files have the same hash
   */
  hash(folder: string, names: string[] = this.names): string {
    const hash = createHash('sha256');
    for (const file of names) {
      const name = relative(folder, file);
      hash.update(`${name.startsWith('..') ? basename(file) : name}\0`);
      const text = this.read(file);
      hash.update(text === undefined ? 'missing\0' : `${text.length}\0${text}`);
    }
    return hash.digest('hex').slice(0, 12);
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** One hash of several. */
export function hashOf(hashes: string[]): string {
  return createHash('sha256').update(hashes.join(' ')).digest('hex').slice(0, 12);
}
