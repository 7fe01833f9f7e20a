/**
 * Contents of files, compared only where the file system says that they may have changed.
 *
 * Asking it about a thousand files several times a second costs more than all else that an idle process does. So of many
 * files it is their folders that are asked about each time: what comes, goes or is replaced changes its folder, and so does the
 * link of a mounted config map that is swapped. What is written in place the system announces; on mounts where it does
 * not, it is found as well, some seconds later, since a part of the files is asked about in turn each time. Where nothing can be
 * announced at all, every file is asked about, and a volume that says nothing of a change is caught by comparing contents.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds between two comparisons of contents where the file system says that nothing has changed. */
const COMPARE_EVERY_MS = 30_000;
/** Files and folders that are all asked about each time. */
const FEW = 100;
/** Of many, how many have their turn at each look: however many there are, a look costs the same. */
const PER_LOOK = 200;
/** Folders that are asked about each time; of more, each has its turn. */
const MAX_FOLDERS = 64;

interface WatchedFolder {
  /** Which folder it was when it began: its name may lead to another one. */
  id: string;
  watcher: FSWatcher;
}

export class WatchedFiles {
  readonly #hashOf: (names: readonly string[]) => string;
  readonly #folder: string;
  #names: readonly string[] = [];
  /** Folders first. */
  #tracked: string[] = [];
  #folders = 0;
  #stamps = new Map<string, string>();
  #watched = new Map<string, WatchedFolder>();
  /** Something was announced since the last look, or nothing can be. */
  #askAll = true;
  #isDeaf = false;
  /** Where the next turn begins. */
  #turn = 0;
  #compared = 0;
  #compareAgain = true;
  #hash = '';

  /**
   * @param folder one more whose entries count, which need not be there
   * @param hashOf compares contents
   */
  constructor(folder: string, hashOf: (names: readonly string[]) => string) {
    this.#folder = folder;
    this.#hashOf = hashOf;
  }

  /** What `hashOf` says of the files, asked only where something may have changed. */
  hash(names: readonly string[]): string {
    const hasChanged = this.#look(names);
    const now = performance.now();
    if (!hasChanged && !this.#compareAgain && now - this.#compared < COMPARE_EVERY_MS) return this.#hash;
    this.#hash = this.#hashOf(names);
    this.#compared = now;
    // Two changes within one tick of the file system's clock have one stamp.
    this.#compareAgain = hasChanged;
    return this.#hash;
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** @returns whether something is not as at the last look */
  #look(names: readonly string[]): boolean {
    const areOthers = names !== this.#names;
    if (areOthers) {
      this.#names = names;
      const folders = [...new Set([this.#folder, ...names.map((name) => dirname(name))])];
      this.#folders = folders.length;
      this.#tracked = [...folders, ...names];
      this.#stamps.clear();
      this.#watch();
    }
    const all = this.#askAll || this.#isDeaf || this.#tracked.length <= FEW;
    // Before it is asked: what is announced from here on is for the next look.
    this.#askAll = false;
    let hasChanged = this.#ask(all ? this.#tracked : this.#nextTurn());
    if (hasChanged && !all) this.#ask(this.#tracked);
    // A folder that was replaced announces nothing of the one that took its place.
    if (hasChanged && !areOthers) this.#watch();
    hasChanged ||= areOthers;
    return hasChanged;
  }

  #nextTurn(): string[] {
    const always = Math.min(this.#folders, MAX_FOLDERS);
    const begin = this.#turn >= this.#tracked.length ? always : Math.max(always, this.#turn);
    this.#turn = begin + PER_LOOK;
    return [...this.#tracked.slice(0, always), ...this.#tracked.slice(begin, this.#turn)];
  }

  #ask(names: readonly string[]): boolean {
    let hasChanged = false;
    for (const name of names) {
      const stamp = stampOf(name);
      if (this.#stamps.get(name) === stamp) continue;
      this.#stamps.set(name, stamp);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Has changes in all folders announced, as far as there are many files. */
  #watch(): void {
    const folders = this.#tracked.length <= FEW ? [] : this.#tracked.slice(0, this.#folders);
    const gone = new Set(this.#watched.keys()).difference(new Set(folders));
    for (const folder of gone) this.#unwatch(folder);
    this.#isDeaf = false;
    for (const folder of folders) {
      const [device, node] = stampOf(folder).split(':');
      const id = node && `${device}:${node}`;
      const known = this.#watched.get(folder);
      if (known?.id === id) continue;
      if (known) this.#unwatch(folder);
      // One that comes changes its stamp.
      if (id === undefined) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => {
          this.#askAll = true;
        });
        watcher.on('error', () => {
          this.#unwatch(folder);
          this.#isDeaf = true;
        });
        this.#watched.set(folder, { id, watcher });
        // What came before the watch began was not announced.
        this.#askAll = true;
      } catch {
        // The system has no room for one more, or the volume does not support it.
        this.#isDeaf = true;
      }
    }
  }

  #unwatch(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }
}

function stampOf(name: string): string {
  const stat = statSync(name, { throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : '-';
}
