/**
 * What every npm script begins with, on whatever Node (20 or newer) the machine has: install what is missing, then go
 * on under the Node that the lock file pins. Needs nothing but Node's own modules.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants, setPriority } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = join(ROOT, 'node_modules', '.bin');
const WINDOWS = process.platform === 'win32';
const PINNED = join(ROOT, 'node_modules', 'node', 'bin', WINDOWS ? 'node.exe' : 'node');

/** Node runs TypeScript without a flag from here on: https://nodejs.org/api/typescript.html */
const OLDEST_WITHOUT_PIN = 24;

/** Whether a terminal's Ctrl-C reaches this process and its children alike. */
const ATTACHED = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;

/**
 * Where Node keeps what it compiled, types stripped, for the next start: half of a command's time would go there again.
 * Entries of other files or versions are never used.
 */
export const COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'node');

/** How long another script's `npm ci` in the same folder is waited for, ms. */
const INSTALL_TIMEOUT = 10 * 60_000;

/**
 * Returns when this process runs on the pinned Node with everything installed, and keeps what it compiles. On any other Node
 * it installs, runs the same command again on the pinned one, and ends with its exit code.
 */
export async function goOnPinned() {
  await installMissing();
  // Where install scripts are switched off, the one that fetches the pinned Node has not run.
  if (!existsSync(PINNED)) await npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']);
  process.env.PATH = `${BIN}${delimiter}${process.env.PATH ?? ''}`;
  const node = pinnedNode();
  if (realpathSync(node) === realpathSync(process.execPath)) {
    nodeModule.enableCompileCache(COMPILE_CACHE);
    return;
  }
  const [, script, ...args] = process.argv;
  process.exit(await runToEnd(node, [script, ...args]));
}

/** The pinned Node; on a platform for which there is none, this one when it is new enough. */
export function pinnedNode() {
  if (existsSync(PINNED)) return PINNED;
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_WITHOUT_PIN) return process.execPath;
  fail(`The pinned Node is missing (${PINNED}), and this one, ${process.version}, is too old. Run: npm rebuild node`);
}

/** Runs `npm ci`, unless node_modules holds what package-lock.json asks for. */
async function installMissing() {
  if (isInstalled()) return;
  const release = await takeInstallLock();
  try {
    if (isInstalled()) return;
    process.stderr.write('Installing the dependencies (once) …\n');
    const started = Date.now();
    const code = await npm([
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
    ]);
    if (code !== 0) fail('npm ci failed; what it said stands above.');
    process.stderr.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`);
  } finally {
    release();
  }
}

/** Compares the lock file with the copy of it that npm leaves behind when an installation is complete. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const present = readPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    const isDependency = path.includes('node_modules/');
    if (!isDependency || (entry.optional && !present[path]) || (entry.peer && !present[path])) continue;
    if (present[path]?.version !== entry.version) return false;
  }
  return true;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Two scripts started at once in a fresh clone must not install over each other. */
async function takeInstallLock() {
  const folder = join(ROOT, '.wrapup');
  const lock = join(folder, 'installing');
  mkdirSync(folder, { recursive: true });
  const deadline = Date.now() + INSTALL_TIMEOUT;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(lock)) rmSync(lock, { force: true });
    if (Date.now() > deadline) fail(`Another installation does not end. If there is none, remove ${lock}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function isStale(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Between its creation and its content the file is empty for a moment.
    return pid ? !isAlive(pid) : Date.now() - statSync(lock).mtimeMs > 5000;
  } catch {
    return false;
  }
}

/** Whether a process with this id runs. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Runs npm.
 *
 * @param stdout file descriptor of its output: stderr unless given, so that stdout stays the script's own
 * @returns {Promise<number>} its exit code
 */
export function npm(args, stdout = 2) {
  const self = process.env.npm_execpath;
  const known = self && /npm-cli\.js$/.test(self) && existsSync(self);
  return runToEnd(known ? process.execPath : 'npm', known ? [self, ...args] : args, {
    stdio: ['ignore', stdout, 2],
    shell: WINDOWS && !known,
    cwd: ROOT,
  });
}

/**
 * Runs a command to its end, passing signals on to it.
 *
 * @param {{ priority?: number }} options as of `spawn`, and the priority that the operating system gives it, if it can
 * @returns {Promise<number>} its exit code; 128 and the signal's number when a signal ended it
 */
export function runToEnd(command, args, { priority, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    if (priority !== undefined && child.pid !== undefined) setPriority(child.pid, priority);
    const passOn = (signal) => {
      // Ctrl-C in a terminal reaches the child without our help; twice would mean "at once" to it.
      if (signal === 'SIGINT' && ATTACHED) return;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    const forget = onNpmGone(() => passOn('SIGTERM'));
    const settle = (code) => {
      forget();
      for (const signal of signals) process.off(signal, passOn);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      settle(127);
    });
    child.once('exit', (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/**
 * Calls `act` when npm, which started this script, is gone: asked to end, npm ends the shell between us and itself, and
 * no signal reaches us.
 *
 * @returns {() => void} stops watching
 */
export function onNpmGone(act) {
  if (!process.env.npm_lifecycle_event || WINDOWS) return () => {};
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 500);
  timer.unref();
  return () => clearInterval(timer);
}

/** Ends this process with one line that says why. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
