import { KINDS, wrapupEditorSchema } from '@wrapup/config';
import { fixtureSchema } from '@wrapup/fixtures';
import { completeLanguage, mappingEditorSchema, toEditorSchema } from '@wrapup/mapping';
import { jsonText } from './json-text.ts';

/** The schemas that editors complete from, by path in the repository. */
export function makeSchemas(): Record<string, string> {
  const mappings = Object.values(KINDS).map(({ kind, dialect }) => [
    `schema/mapping-${kind}.schema.json`,
    jsonText(mappingEditorSchema(dialect)),
  ]);
  return {
    'schema/wrapup.schema.json': jsonText(wrapupEditorSchema()),
    'schema/test.schema.json': jsonText(toEditorSchema(fixtureSchema, 'Tests of a Wrapup mapping', completeLanguage)),
    ...Object.fromEntries(mappings),
  };
}
