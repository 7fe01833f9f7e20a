/**
 * Bundles the processes and the command of apps/ into dist/, for the image: modules that they do not use are left out, and
 * one file is loaded where there were hundreds, which saves 13 to 20 MB of each process.
 *
 *   node scripts/bundle.mjs                 makes dist/
 *   node scripts/bundle.mjs --prune         and removes from node_modules what nothing needs any more beside dist/
 *   node scripts/bundle.mjs --out <folder>  makes that folder, somewhere in the checkout, in place of dist/
 *
 * Names and lines are kept, so that a stack trace says where something happened. What reads files beside its own source finds them
 * where the source was: the folder only works where it was made.
 */
import { existsSync, globSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { buildEditor } from '../apps/dashboard/src/workbench/build-editor.ts';

const ROOT = dirname(import.meta.dirname);
const { values: options } = parseArgs({
  options: { prune: { type: 'boolean', default: false }, out: { type: 'string', default: 'dist' } },
});
const DIST = resolve(ROOT, options.out);

/** Packages that stay as they are: they start threads, read files of their own, or are large and loaded by few. */
const EXTERNAL = ['@bull-board/ui', '@hubspot/api-client', 'jsforce', 'pino'];

/** Threads of processes, and by what name those find them beside their own bundle. */
const THREADS = { 'workbench-thread': join(ROOT, 'apps/dashboard/src/workbench/thread.ts') };

/** Paths that a source makes from its own place stay those of the source. */
const ownPlace = {
  name: 'own-place',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](apps|packages)[\\/].*\.ts$/ }, async ({ path }) => {
      const from = relative(DIST, path);
      const contents = (await readFile(path, 'utf8'))
        .replaceAll('import.meta.url', `new URL(${JSON.stringify(from)}, import.meta.url).href`)
        .replaceAll('import.meta.dirname', `new URL(${JSON.stringify(dirname(from))}, import.meta.url).pathname`);
      return { contents, loader: 'ts' };
    });
  },
};

const entryPoints = Object.fromEntries(
  globSync('apps/*/src/main.ts', { cwd: ROOT }).map((file) => [file.split('/')[1], join(ROOT, file)]),
);
rmSync(DIST, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { ...entryPoints, ...THREADS },
  absWorkingDir: ROOT,
  outdir: DIST,
  outExtension: { '.js': '.mjs' },
  // All in one folder: paths are written relative to it.
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // esbuild is asked for in a checkout only.
  external: [...EXTERNAL.flatMap((name) => [name, `${name}/*`]), 'esbuild'],
  plugins: [ownPlace],
  minifySyntax: true,
  legalComments: 'none',
  // What is CommonJS asks for Node's own modules with `require`.
  banner: {
    js: "import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
// What browsers load, made once here.
const { script, files: scriptFiles } = await buildEditor();
writeFileSync(join(DIST, 'workbench-editor.js'), script);
const bundled = packagesOf([...Object.keys(metafile.inputs), ...scriptFiles]);
writeFileSync(join(DIST, 'LICENSES.txt'), bundled.map(licenceOf).join('\n\n'));
const outputs = Object.values(metafile.outputs);
const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
console.log(
  `dist: ${Object.keys(entryPoints).join(', ')}; ${outputs.length} files, ${(bytes / 1e6).toFixed(1)} MB, ${bundled.length} packages`,
);

if (options.prune) {
  const kept = new Set();
  for (const name of EXTERNAL) keep(name, ROOT, kept);
  const folder = join(ROOT, 'node_modules');
  const names = ['*', '@*/*'].flatMap((name) => [name, `**/node_modules/${name}`]);
  let removed = 0;
  for (const file of globSync(
    names.map((name) => `${name}/package.json`),
    { cwd: folder },
  )) {
    const path = dirname(join(folder, file));
    if (!existsSync(path) || [...kept].some((one) => one === path || one.startsWith(`${path}/`))) continue;
    rmSync(path, { recursive: true, force: true });
    removed += 1;
  }
  console.log(`node_modules: ${kept.size} packages kept, ${removed} removed`);
}

/** Folders of the packages in node_modules that these files belong to. */
function packagesOf(files) {
  const folders = files.map((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders.filter(Boolean))].sort().map((folder) => join(ROOT, folder));
}

/** Name, version and licence of a package, as its licence asks for. */
function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version}: ${license ?? 'see below'}`, ...texts].join('\n\n');
}

/** Adds the folder of a package, and those of all that it depends on. */
function keep(name, from, kept) {
  const path = findPackage(name, from);
  if (path === undefined || kept.has(path)) return;
  kept.add(path);
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  for (const one of Object.keys({ ...dependencies, ...optionalDependencies })) keep(one, path, kept);
}

/** As Node looks for it; undefined where an optional one is not installed. */
function findPackage(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return realpathSync(path);
    if (folder === dirname(folder)) return undefined;
  }
}
