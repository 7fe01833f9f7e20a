/** `note-syncs.c`, compiled for this machine: without root, and without a debugger's hold on Redis. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SOURCE = resolve(import.meta.dirname, 'note-syncs.c');

let built: string | { missing: string } | undefined;

/** Path of the library, or why there is none on this machine: it takes Linux and a C compiler. */
export function buildShim(): string | { missing: string } {
  built ??= build();
  return built;
}

function build(): string | { missing: string } {
  if (process.platform !== 'linux') return { missing: `LD_PRELOAD is of Linux, and this is ${process.platform}` };
  const library = join(mkdtempSync(join(tmpdir(), 'wrapup-shim-')), 'note-syncs.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, SOURCE, '-ldl'], { stdio: 'pipe' });
    return library;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    return { missing: code === 'ENOENT' ? 'no C compiler `cc` is installed' : `cc failed: ${stderr}` };
  }
}
