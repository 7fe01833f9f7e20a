import type { Note } from '@wrapup/call';

/** Notes kept of one call; a payload built to fill them says nothing more after this many. */
const MAX_NOTES = 50;
const MAX_PATH_LENGTH = 160;

/** What could not be read, or had to be decided, while a payload was read: where and why, never a value. */
export class Notes {
  readonly #notes: Note[] = [];
  readonly #seen = new Set<string>();
  #more = 0;

  add(path: string, message: string): void {
    if (this.#notes.length >= MAX_NOTES) {
      // Not even looked at: a payload that is made to be slow has a hundred thousand of them.
      this.#more++;
      return;
    }
    const shown = maskPath(path);
    const key = `${shown}\n${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#notes.push({ path: shown, message });
  }

  /** One that is kept however many there are. */
  first(path: string, message: string): void {
    const shown = maskPath(path);
    if (this.#notes.some((note) => note.path === shown && note.message === message)) return;
    this.#notes.unshift({ path: shown, message });
    if (this.#notes.length > MAX_NOTES) {
      this.#notes.pop();
      this.#more++;
    }
  }

  list(): Note[] {
    if (this.#more === 0) return this.#notes;
    return [...this.#notes, { path: '', message: `${this.#more} more notes were not kept` }];
  }
}

/** A path as notes show it. Keys come from outside, so one that could be a number, an address or a text is masked. */
export function maskPath(path: string): string {
  const shown = path
    .slice(0, MAX_PATH_LENGTH * 2)
    .split('.')
    .map((segment) => (/^[\p{L}\p{N}_ \-[\]]{0,64}$/u.test(segment) && !/\d{5}/.test(segment) ? segment : '*'))
    .join('.');
  return shown.length > MAX_PATH_LENGTH ? `${shown.slice(0, MAX_PATH_LENGTH)}…` : shown;
}
