/**
 * A private Redis out of the distribution's own packages, unpacked below one folder: nothing is installed, nothing
 * outside that folder is changed, root is not needed. For Debian and what comes of it.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMAND_TIMEOUT = 120_000;
const MAX_PACKAGES = 30;

/** Package to ask for, and the server binary it (or the package it depends on) holds. */
const CANDIDATES = [
  ['redis-server', 'redis-server'],
  ['valkey-server', 'valkey-server'],
];

/** Depended on for their maintainer scripts only, which are never run here. */
const NEVER_NEEDED = new Set(['adduser', 'lsb-base', 'init-system-helpers', 'sysvinit-utils', 'debconf', 'libc6']);

/**
 * @param {string} folder where the private copy goes, such as `.wrapup/redis-server`
 * @returns {Promise<{command: string, env: Record<string, string>} | undefined>} undefined when this system has no apt
 * @throws when apt is there, but gave no server
 */
export async function unpackRedis(folder) {
  const ready = locate(folder);
  if (ready) return ready;
  if (!(await works('apt-get', ['--version'])) || !(await works('dpkg', ['--version']))) return undefined;

  // A folder of its own for each call: two of one process fetch side by side, as two processes do.
  const work = `${folder}.${randomUUID()}`;
  const problems = [];
  try {
    const apt = aptWithin(work);
    for (const [name] of CANDIDATES) {
      rmSync(join(work, 'root'), { recursive: true, force: true });
      try {
        await unpackWithLibraries(name, work, apt);
      } catch (error) {
        problems.push(`${name}: ${firstLine(error)}`);
        continue;
      }
      if (!locate(join(work, 'root'))) continue;
      const faster = locate(folder);
      if (faster) return faster;
      try {
        mkdirSync(dirname(folder), { recursive: true });
        rmSync(folder, { recursive: true, force: true });
        renameSync(join(work, 'root'), folder);
      } catch (error) {
        // Another one was faster after all; its copy is as good.
        if (!locate(folder)) throw error;
      }
      return locate(folder);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  throw new Error(`the packages could not be fetched (${problems.join('; ')})`);
}

/** apt with its package lists and cache below `work`, once its own lists have turned out to be missing or old. */
function aptWithin(work) {
  let options = [];
  let updated = false;
  const apt = (command, args, cwd) => run(command, [...options, ...args], { cwd, timeout: COMMAND_TIMEOUT });
  const update = async () => {
    if (updated) return false;
    updated = true;
    for (const folder of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(work, folder), { recursive: true });
    }
    options = [
      ['Dir::State::Lists', join(work, 'lists')],
      ['Dir::Cache', join(work, 'cache')],
      ['APT::Sandbox::User', ''],
    ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    await apt('apt-get', ['update', '-qq']);
    return true;
  };
  return { apt, update };
}

async function unpackWithLibraries(name, work, { apt, update }) {
  const root = join(work, 'root');
  const wanted = [name];
  const seen = new Set();
  while (wanted.length > 0) {
    const next = wanted.shift();
    if (seen.has(next)) continue;
    seen.add(next);
    if (seen.size > MAX_PACKAGES) throw new Error('it depends on too many packages that are missing here');

    const debs = join(work, 'debs', next);
    rmSync(debs, { recursive: true, force: true });
    mkdirSync(debs, { recursive: true });
    try {
      await apt('apt-get', ['download', '-qq', next], debs);
    } catch (error) {
      if (!(await update())) throw error;
      await apt('apt-get', ['download', '-qq', next], debs);
    }
    const deb = join(debs, readdirSync(debs).find((file) => file.endsWith('.deb')) ?? `${next}.deb`);
    await run('dpkg', ['-x', deb, root], { timeout: COMMAND_TIMEOUT });

    const found = locate(root);
    if (found && (await missingLibraries(found)).length === 0) return;
    // The server itself may stand in a package that is installed, yet without the link by which it is a server.
    wanted.push(...(await dependencies(deb, { installedToo: !found })));
  }
  const found = locate(root);
  if (!found) throw new Error('it holds no server');
  const missing = await missingLibraries(found);
  if (missing.length > 0) throw new Error(`no package brought ${missing.join(', ')}`);
}

/** Names of the packages that `deb` depends on, the first of alternatives; without those installed, by default. */
async function dependencies(deb, { installedToo }) {
  const { stdout } = await run('dpkg-deb', ['-f', deb, 'Depends']);
  const names = stdout
    .split(',')
    .map((part) => /^\s*([a-z0-9][a-z0-9+.-]+)/.exec(part)?.[1])
    .filter((name) => name !== undefined && !NEVER_NEEDED.has(name));
  if (installedToo) return names;
  const missing = [];
  for (const name of names) {
    const { stdout: status } = await run('dpkg-query', ['-W', '-f', '${Status}', name]).catch(() => ({ stdout: '' }));
    if (!status.includes('install ok installed')) missing.push(name);
  }
  return missing;
}

async function missingLibraries({ command, env }) {
  const { stdout } = await run('ldd', [command], { env: { ...process.env, ...env } });
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]);
}

/** The server below an unpacked root, and the environment that lets it find its libraries. */
function locate(root) {
  for (const [, binary] of CANDIDATES) {
    const command = join(root, 'usr/bin', binary);
    if (!resolves(command)) continue;
    const folders = libraryFolders(root);
    if (process.env.LD_LIBRARY_PATH) folders.push(process.env.LD_LIBRARY_PATH);
    return { command, env: folders.length > 0 ? { LD_LIBRARY_PATH: folders.join(':') } : {} };
  }
  return undefined;
}

/** redis-server is a link to a binary of another package, which may not have been unpacked yet. */
function resolves(path) {
  try {
    return existsSync(join(dirname(path), readlinkSync(path)));
  } catch {
    return existsSync(path);
  }
}

function libraryFolders(root) {
  const folders = [];
  for (const base of ['usr/lib', 'lib']) {
    const folder = join(root, base);
    if (!existsSync(folder)) continue;
    folders.push(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name.includes('-linux-')) folders.push(join(folder, entry.name));
    }
  }
  return folders.filter((folder) => readdirSync(folder).some((file) => file.includes('.so')));
}

async function works(command, args) {
  try {
    await run(command, args, { timeout: COMMAND_TIMEOUT });
    return true;
  } catch {
    return false;
  }
}

function firstLine(error) {
  return String(error.stderr || error.message)
    .trim()
    .split('\n')[0];
}
