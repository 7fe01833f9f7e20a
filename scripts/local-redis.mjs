/**
 * Finds and runs a Redis (or Valkey) server on this machine, without Docker and without installing anything.
 * Needs nothing but Node's own modules, so that it works before `npm ci` has run.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { guardOrphan } from './guard-orphan.mjs';
import { freePort } from './ports.mjs';
import { unpackRedis } from './unpack-redis.mjs';

const run = promisify(execFile);
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const HOST = '127.0.0.1';

/** BullMQ's own minimum: https://docs.bullmq.io/guide/redis-tm-compatibility */
const OLDEST = [6, 2];
/** From here on the setting that packs the fields of a small hash is known by the name that is used. */
const KNOWS_LISTPACKS = 7;

/**
 * Looks on the PATH, then for (or makes) a private copy below `.wrapup/`, then in Homebrew's folders.
 *
 * @returns {Promise<{command: string, env: Record<string, string>, major: number}>} `env`: what the server needs in its
 * environment; `major`: of its version
 * @throws {Error} one line that says what to install
 */
export async function findRedisServer({ root = ROOT } = {}) {
  const notes = [];
  for (const command of ['redis-server', 'valkey-server']) {
    const usable = await asUsable({ command, env: {} }, notes);
    if (usable) return usable;
  }
  try {
    const unpacked = await unpackRedis(join(root, '.wrapup', 'redis-server'));
    const usable = unpacked && (await asUsable(unpacked, notes));
    if (usable) return usable;
  } catch (error) {
    notes.push(error.message);
  }
  for (const folder of ['/opt/homebrew/bin', '/usr/local/bin', '/home/linuxbrew/.linuxbrew/bin']) {
    for (const name of ['redis-server', 'valkey-server']) {
      const found = { command: join(folder, name), env: {} };
      const usable = await asUsable(found, notes);
      if (usable) return usable;
    }
  }
  const why = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  throw new Error(
    `No Redis found${why}: install redis-server ${OLDEST.join('.')} or newer ` +
      '(apt install redis-server, brew install redis), or set REDIS_URL to one that runs.',
  );
}

/** The server with its version; undefined when it does not run or is too old. */
async function asUsable({ command, env }, notes) {
  let version;
  try {
    const { stdout } = await run(command, ['--version'], { env: { ...process.env, ...env }, timeout: 10_000 });
    version = /v=(\d+)\.(\d+)/.exec(stdout);
  } catch (error) {
    if (error.code !== 'ENOENT') notes.push(`${command} does not run`);
    return undefined;
  }
  if (!version) return undefined;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { command, env, major };
  notes.push(`${command} is version ${major}.${minor}`);
  return undefined;
}

/**
 * Starts a server on 127.0.0.1 that never evicts, and waits until it answers. It ends with the process that started
 * it, however that one ends.
 *
 * @param {object} options
 * @param {string} options.dir its data; created when missing
 * @param {number} [options.port] 0, the default: any free one
 * @param {boolean} [options.appendonly] AOF, synced on every write; default false: nothing is kept
 * @param {string[]} [options.args] more settings, as redis-server's arguments
 * @param {{command: string, env: Record<string, string>, major: number}} [options.server] default: what `findRedisServer` finds
 * @param {string} [options.password] asked for from then on. It goes over standard input: arguments can be seen by all
 * @param {number} [options.timeout] ms to wait for it to load its data and answer; default 10 000
 * @param {'SIGKILL' | 'SIGTERM'} [options.orphaned] what it gets when this process is gone; default SIGKILL
 * @returns {Promise<{url: string, port: number, pid: number, exited: Promise<number | string>, stop(): Promise<void>}>}
 * `url` holds the password
 * @throws {Error} when it does not come up, with its last words
 */
export async function startRedisServer(options) {
  const server = options.server ?? (await findRedisServer());
  const attempts = options.port ? 1 : 5;
  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await freePort());
    try {
      return await launch(server, port, options);
    } catch (error) {
      // Another process took the free port between our look and the server's bind.
      if (attempt >= attempts || !/already in use/i.test(error.message)) throw error;
    }
  }
}

/** What Redis writes is for its owner only. */
const PRIVATE = 0o077;

async function launch(server, port, options) {
  const { dir, appendonly = false, args = [], password, timeout = 10_000, orphaned = 'SIGKILL' } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const trimmed = appendonly ? await trimUnfinished(server, dir) : '';
  const settings = [
    ['--port', String(port)],
    ['--bind', HOST],
    ['--dir', dir],
    ['--save', ''],
    ['--appendonly', appendonly ? 'yes' : 'no'],
    ['--appendfsync', 'always'],
    // What is unfinished is cut off before, and where a transaction begins.
    ['--aof-load-truncated', 'no'],
    ['--maxmemory-policy', 'noeviction'],
    // Most fields of a call's entry are longer than the usual 64 bytes: packed, entries and jobs take half the memory.
    ...(server.major >= KNOWS_LISTPACKS ? [['--hash-max-listpack-value', '1024']] : []),
    ['--daemonize', 'no'],
    ['--logfile', ''],
  ];
  const input = password === undefined ? [] : ['-'];
  const before = process.umask(PRIVATE);
  const child = spawn(server.command, [...settings.flat(), ...args, ...input], {
    env: { ...process.env, ...server.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C in a terminal must not take Redis away from those who still write to it.
    detached: true,
  });
  process.umask(before);
  child.stdin.on('error', () => {});
  child.stdin.end(password === undefined ? '' : `requirepass ${password}\n`);
  let said = trimmed;
  const listen = (chunk) => {
    said = (said + chunk).slice(-4000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const exited = new Promise((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve('error');
    });
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
  });
  const guard = child.pid ? guardOrphan(child.pid, orphaned) : undefined;
  exited.then(() => guard?.dismiss());

  let gone = false;
  exited.then(() => {
    gone = true;
  });
  const deadline = Date.now() + timeout;
  while (!(await ping(port, { password }))) {
    if (gone) throw new Error(`Redis did not start on port ${port}: ${lastWords(said)}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Redis did not answer on port ${port} within ${timeout / 1000} s: ${lastWords(said)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (gone) throw new Error(`Redis did not start on port ${port}: ${lastWords(said)}`);

  for (const stream of [child.stdout, child.stderr]) stream.unref?.();
  child.unref();
  return {
    url: `redis://${password === undefined ? '' : `:${password}@`}${HOST}:${port}`,
    port,
    pid: child.pid,
    exited,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

const TRIM = join(ROOT, 'deploy/kubernetes/components/redis/trim-aof.sh');

/** Cuts off what a power cut has left unfinished. @returns what it says of it */
async function trimUnfinished({ command, env }, dir) {
  const check = join(dirname(command), basename(command).replace('server', 'check-aof'));
  const given = { ...process.env, ...env, REDIS_CHECK_AOF: check };
  try {
    const { stderr } = await run('sh', [TRIM, dir], { env: given });
    process.stderr.write(stderr);
    return stderr;
  } catch (error) {
    // Without a shell; Redis says itself what it does not load.
    return `${error.message}\n`;
  }
}

/**
 * Whether a server answers on this port. With its password, or where it has none, false while it still loads its data; a
 * server that only asks for a password counts as one that answers.
 */
export function ping(port, { password, timeout = 1000 } = {}) {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    let answers = '';
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeout, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('connect', () => socket.write(`${password === undefined ? '' : `AUTH ${password}\r\n`}PING\r\n`));
    socket.on('data', (data) => {
      answers += data.toString();
      const lines = answers.split('\r\n').slice(0, -1);
      if (lines.length < (password === undefined ? 1 : 2)) return;
      settle(lines.at(-1) === '+PONG' || (password === undefined && lines[0].startsWith('-NOAUTH')));
    });
  });
}

/** Why it did not start, of what it said: warnings about the machine are no reason. */
function lastWords(said) {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !/ # WARNING /.test(line));
  const reason = lines.filter((line) =>
    /already in use|fail|error|can't|cannot|denied|bad file format|unexpected end of file|no space left/i.test(line),
  );
  return (reason.length > 0 ? reason : lines).slice(-2).join(' ').trim() || 'it said nothing';
}
