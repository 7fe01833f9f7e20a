import { dirname, join } from 'node:path';

/**
 * Path of a file that scripts/bundle.mjs makes beside the bundles, which the image runs; undefined in a checkout, which runs its
 * sources. Of all that tells a module where it is the bundle leaves only `import.meta.filename` as it is.
 */
export function builtFile(name: string): string | undefined {
  const { filename } = import.meta;
  return filename.endsWith('.ts') ? undefined : join(dirname(filename), name);
}
