/**
 * Runs one process on the pinned Node: `node scripts/run.mjs apps/ingress/src/main.ts [arguments]`. In this process and
 * not as a child of it: a signal to a whole group of processes would reach a child twice, and twice means "at once".
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  fillIn,
  findSandbox,
  hashDotEnv,
  readEnvironment,
  readStarted,
  takeKept,
  takeStarted,
} from './environment.mjs';
import { fail, goOnPinned, onNpmGone, ROOT } from './set-up.mjs';

const CLI = 'apps/cli/src/main.ts';

const [, , entry, ...args] = process.argv;
if (!entry) fail('Usage: node scripts/run.mjs <file.ts> [arguments]');
await goOnPinned();

const env = readEnvironment();
const started = readStarted();
if (started) {
  takeStarted(env, started);
  fillIn(env);
  if (started.env_file !== hashDotEnv()) {
    process.stderr.write('.env has changed since `npm start` began, which goes by the old one: restart it.\n');
  }
} else if (entry === CLI) takeKept(env);
findSandbox(env);
// For what the command line says of commands, and of what it does not find.
env.WRAPUP_STARTED = started ? 'yes' : 'no';
env.WRAPUP_COMMAND ??= calledAs();
Object.assign(process.env, env);

const file = join(ROOT, entry);
process.argv = [process.execPath, file, ...args];
process.chdir(ROOT);
onNpmGone(() => process.kill(process.pid, 'SIGTERM'));
await import(pathToFileURL(file).href);

/** How the command line is called by those whom npm has brought here: the pages and logs of a process name it, too. */
function calledAs() {
  if (process.env.npm_command === 'exec') return 'npx --no wrapup';
  return process.env.npm_lifecycle_event ? 'npm run wrapup --' : 'wrapup';
}
