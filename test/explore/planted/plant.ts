/** Loaded before everything else (`node --import`): puts the fault that is named in the environment into its source file. */
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PLANTS } from './plants.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const plant = PLANTS.find(({ name }) => name === process.env.WRAPUP_PLANT);
if (!plant) throw new Error(`WRAPUP_PLANT names no fault: ${process.env.WRAPUP_PLANT}`);
const { file, find, replace, name } = plant;
const wanted = pathToFileURL(resolve(ROOT, file)).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== wanted) return loaded;
    const source = String(loaded.source);
    if (source.split(find).length !== 2)
      throw new Error(
        `${name}: the text to change does not stand once in ${file}: correct test/explore/planted/plants.ts`,
      );
    return { ...loaded, source: source.replace(find, () => replace) };
  },
});
