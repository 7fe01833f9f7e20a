/**
 * Fills Node's compile cache (NODE_COMPILE_CACHE) with everything that the processes load, while the image is built: a
 * container then starts without compiling. The build fails where a module is missed.
 *
 * Modules are imported in this process. What a process itself is compiled to is only kept by running it, so each runs for
 * a moment, without a Redis to reach.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import nodeModule from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const DIST = resolve(import.meta.dirname, '../dist');
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
  const { status, signal } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(leave)}`, join(DIST, file)],
    {
      stdio: 'ignore',
      env: {
        ...process.env,
        ...{ WRAPUP_CONFIG: join(DIST, 'nothing.yaml'), REDIS_URL: 'redis://127.0.0.1:1' },
        ...{ INGRESS_PORT: '0', DASHBOARD_PORT: '0', WORKER_PORT: '0', SANDBOX_PORT: '0' },
      },
    },
  );
  if (signal || (status !== 0 && status !== 1)) throw new Error(`${file} ended with ${signal ?? status}`);
}
console.log(`compile cache: ${modules.length} modules and ${programs.length} programs`);
process.exit(0);
