import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WatchedFiles } from '../src/file/watched-files.ts';
import { configFolder } from './support/folder.ts';

/** Files in one folder, at rest: nothing is compared until one changes. Nothing is announced meanwhile, as no test waits. */
function atRest(count: number, prepare: (at: (index: number) => string) => void = () => {}) {
  const name = (index: number) => `f${String(index).padStart(4, '0')}`;
  const files = Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), 'as it was']));
  const folder = dirname(configFolder(files));
  const at = (index: number) => join(folder, name(index));
  prepare(at);
  const names = Array.from({ length: count }, (_, index) => at(index));
  let compared = 0;
  const watched = new WatchedFiles(folder, () => {
    compared += 1;
    return String(compared);
  });
  onTestFinished(() => watched.close());
  for (let look = 0; look < 3; look += 1) watched.hash(names);
  const before = compared;
  watched.hash(names);
  expect(compared).toBe(before);
  /** Looks until contents were compared; undefined where none of them led to that. */
  const looksUntilCompared = (most: number): number | undefined => {
    const had = compared;
    for (let look = 1; look <= most; look += 1) {
      watched.hash(names);
      if (compared > had) return look;
    }
    return undefined;
  };
  return { at, folder, looksUntilCompared };
}

test('of few, whatever changes is seen at the next look', () => {
  const { at, looksUntilCompared } = atRest(90);
  writeFileSync(at(3), 'written in place');
  expect(looksUntilCompared(1)).toBe(1);
  // Once more, as two changes may have one time, and then no more.
  expect(looksUntilCompared(1)).toBe(1);
  expect(looksUntilCompared(20)).toBeUndefined();
});

test('of many, one that is replaced, comes or goes is seen at the next look', () => {
  const { at, folder, looksUntilCompared } = atRest(900);
  for (const change of [
    () => {
      writeFileSync(join(folder, '.new'), 'replaced');
      renameSync(join(folder, '.new'), at(899));
    },
    () => writeFileSync(join(folder, 'one-more'), ''),
    () => rmSync(at(0)),
  ]) {
    change();
    expect(looksUntilCompared(1)).toBe(1);
    looksUntilCompared(5);
    expect(looksUntilCompared(20)).toBeUndefined();
  }
});

test('of many, one that is written where nothing announces it is seen when it has its turn', () => {
  const elsewhere = dirname(configFolder({ one: 'as it was' }));
  const { looksUntilCompared } = atRest(900, (at) => {
    rmSync(at(500));
    symlinkSync(join(elsewhere, 'one'), at(500));
  });
  for (let round = 1; round <= 3; round += 1) {
    writeFileSync(join(elsewhere, 'one'), `round ${round}`);
    expect(looksUntilCompared(5)).toBeDefined();
    looksUntilCompared(5);
    expect(looksUntilCompared(20)).toBeUndefined();
  }
});
