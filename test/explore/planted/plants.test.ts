import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PLANTS, withPlant } from './plants.ts';

const ROOT = join(import.meta.dirname, '../../..');

test.each(PLANTS)('$name finds the guard that it takes away', (plant) => {
  const source = readFileSync(join(ROOT, plant.file), 'utf8');
  expect(withPlant(plant, source)).not.toBe(source);
});
