/** Loaded before everything else (`node --import`): puts the fault that is named in the environment into its source file. */
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plantOf, withPlant } from './plants.ts';

const plant = plantOf(process.env.WRAPUP_PLANT);
const wanted = pathToFileURL(resolve(import.meta.dirname, '../../..', plant.file)).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    return url === wanted ? { ...loaded, source: withPlant(plant, String(loaded.source)) } : loaded;
  },
});
