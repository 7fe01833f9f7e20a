/** `npm run generate`: writes schemas and reference pages. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { generate } from './index.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

for (const [path, text] of Object.entries(await generate())) {
  const file = resolve(ROOT, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${path}\n`);
}
