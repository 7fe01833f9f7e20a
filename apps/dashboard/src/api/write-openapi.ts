/** Part of `npm run generate`: writes the document of the API. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeOpenApi } from './openapi.ts';

const FILE = 'docs/reference/openapi.json';

writeFileSync(resolve(import.meta.dirname, '../../../..', FILE), `${JSON.stringify(makeOpenApi(), null, 2)}\n`);
process.stdout.write(`${FILE}\n`);
