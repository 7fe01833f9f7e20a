/**
 * Runs one process on the pinned Node: `node scripts/run.mjs apps/ingress/src/main.ts [arguments]`. In this process and
 * not as a child of it: a signal to a whole group of processes would reach a child twice, and twice means "at once".
 */
import nodeModule from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findSandbox, readEnvironment, readStarted } from './environment.mjs';
import { COMPILE_CACHE, fail, goOnPinned, onNpmGone, ROOT } from './set-up.mjs';

const [, , entry, ...args] = process.argv;
if (!entry) fail('Usage: node scripts/run.mjs <file.ts> [arguments]');
await goOnPinned();

const env = readEnvironment();
for (const [name, value] of Object.entries(readStarted()?.env ?? {})) env[name] ??= value;
findSandbox(env);
Object.assign(process.env, env);

const file = join(ROOT, entry);
process.argv = [process.execPath, file, ...args];
process.chdir(ROOT);
onNpmGone(() => process.kill(process.pid, 'SIGTERM'));
nodeModule.enableCompileCache?.(COMPILE_CACHE);
await import(pathToFileURL(file).href);
