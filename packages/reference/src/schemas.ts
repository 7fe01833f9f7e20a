import { KINDS, wrapupEditorSchema } from '@wrapup/config';
import { fixtureSchema } from '@wrapup/fixtures';
import { completeLanguage, mappingEditorSchema, toEditorSchema } from '@wrapup/mapping';

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

/** JSON as the repository keeps it: two blanks a level, a line break at the end. */
function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
