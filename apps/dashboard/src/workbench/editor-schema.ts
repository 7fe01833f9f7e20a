import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { own } from '@wrapup/call';
import { type Config, KINDS, type Route } from '@wrapup/config';
import { mappingEditorSchema } from '@wrapup/mapping';

/** By kind: each takes some milliseconds to make. */
const OF_KINDS = new Map<string, string>();
/** Bytes of a schema that was pulled. */
const LARGEST = 8_000_000;

/**
 * JSON schema of the mapping of a route, as text: the one that `wrapup schema pull` saved for its connection, which knows the
 * account's own properties, else that of the kind.
 */
export function editorSchemaOf({ file, connections }: Config, { to }: Route): string | undefined {
  const kind = own(connections, to)?.kind;
  const dialect = kind === undefined ? undefined : own(KINDS, kind)?.dialect;
  if (kind === undefined || !dialect) return undefined;
  const pulled = readSchema(join(dirname(file), 'schema', `${to}.schema.json`));
  if (pulled !== undefined) return pulled;
  const made = OF_KINDS.get(kind) ?? JSON.stringify(mappingEditorSchema(dialect));
  OF_KINDS.set(kind, made);
  return made;
}

function readSchema(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > LARGEST ? undefined : JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
