/**
 * Fills Node's compile cache (NODE_COMPILE_CACHE) with everything that the processes load, while the image is built: a
 * container then starts without compiling. The build fails where a module or a program cannot be loaded.
 *
 *   node scripts/fill-compile-cache.mjs [folder]    default dist/
 *
 * Modules are imported in this process. What a process itself is compiled to is only kept by running it, so each runs for
 * a moment, without a Redis to reach and without a configuration: it may end because of that, and for no other reason.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import nodeModule from 'node:module';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const DIST = resolve(process.argv[2] ?? join(import.meta.dirname, '../dist'));
const NO_CONFIG = join(DIST, 'nothing.yaml');
/** For the slowest process to have loaded all of its modules on a busy machine, in ms. */
const RUN_MS = 5_000;

if (!process.env.NODE_COMPILE_CACHE) throw new Error('NODE_COMPILE_CACHE names no folder');
const files = globSync('*.mjs', { cwd: DIST }).sort();
const modules = files.filter((file) => file.startsWith('chunk-'));
for (const file of modules) await import(pathToFileURL(join(DIST, file)).href);
nodeModule.flushCompileCache();

const leave = `import m from 'node:module'; setTimeout(() => { m.flushCompileCache(); process.exit(0); }, ${RUN_MS});`;
const programs = files.filter((file) => !file.startsWith('chunk-'));
for (const file of programs) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(leave)}`, join(DIST, file)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      env: {
        ...process.env,
        ...{ WRAPUP_CONFIG: NO_CONFIG, REDIS_URL: 'redis://127.0.0.1:1' },
        ...{ INGRESS_PORT: '0', DASHBOARD_PORT: '0', WORKER_PORT: '0', SANDBOX_PORT: '0' },
      },
    },
  );
  const saysNoConfig =
    status === 1 && stdout.includes(`cannot read the configuration ${relative(process.cwd(), NO_CONFIG)}`);
  if (status !== 0 && !saysNoConfig) throw new Error(`${file} ended with ${signal ?? status}:\n${stdout}${stderr}`);
}
console.log(`compile cache: ${modules.length} modules and ${programs.length} programs`);
process.exit(0);
