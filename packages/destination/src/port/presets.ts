import { readFileSync } from 'node:fs';
import type { Dialect } from '@wrapup/mapping';

/**
 * Presets that an adapter ships as `presets/<name>.yaml` beside its `src`, each read when a mapping extends it.
 * @param module `import.meta.url` of a file in `src`
 */
export function shipPresets(module: string, names: string[]): Dialect['presets'] {
  return Object.fromEntries(
    names.map((name) => [name, () => readFileSync(new URL(`../presets/${name}.yaml`, module), 'utf8')]),
  );
}
