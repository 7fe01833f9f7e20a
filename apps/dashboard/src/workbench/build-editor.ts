import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../..');

/**
 * Bundles the editor: for the image by scripts/bundle.mjs, in a checkout when a browser asks for it.
 * @returns the script, and the files that it is made of, by paths from the root
 * @throws where esbuild or what the editor is made of is not installed
 */
export async function buildEditor(): Promise<{ script: Buffer; files: string[] }> {
  const { build, stop } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: ['apps/dashboard/browser/main.ts'],
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  // Its process would wait for another build.
  await stop();
  const [file] = outputFiles;
  if (!file) throw new Error('esbuild made nothing');
  return { script: Buffer.from(file.contents), files: Object.keys(metafile.inputs) };
}
