/**
 * Runs one process on the pinned Node: `node scripts/run.mjs apps/ingress/src/main.ts [arguments]`.
 * Its signals and exit code are the process's own.
 */
import { join } from 'node:path';
import { findSandbox, readEnvironment, readStarted } from './environment.mjs';
import { fail, goOnPinned, pinnedNode, ROOT, runToEnd } from './set-up.mjs';

const [, , entry, ...args] = process.argv;
if (!entry) fail('Usage: node scripts/run.mjs <file.ts> [arguments]');
await goOnPinned();

const env = readEnvironment();
for (const [name, value] of Object.entries(readStarted()?.env ?? {})) env[name] ??= value;
findSandbox(env);
process.exit(await runToEnd(pinnedNode(), [join(ROOT, entry), ...args], { env, cwd: ROOT }));
