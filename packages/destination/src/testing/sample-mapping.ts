import { type Finding, formatFinding } from '@wrapup/findings';
import { type CompiledMapping, compileMapping, type Dialect } from '@wrapup/mapping';

/** A mapping written in a test of an adapter. @throws its mistakes, each with its place */
export function compileSample(dialect: Dialect, text: string): CompiledMapping {
  const name = `mappings/${dialect.kind}.yaml`;
  const { mapping, findings } = compileMapping({ name, text, dialect, readFile: () => undefined });
  if (!mapping || findings.length > 0)
    throw new Error(findings.map(formatFinding).join('\n') || 'nothing was compiled');
  return mapping;
}

/**
 * The finding at the place of a mapping that is marked by ».
 * @throws all that was found, where nothing is found there or the mapping compiles all the same
 */
export function mistakeAt(dialect: Dialect, marked: string): Finding {
  const before = marked.slice(0, marked.indexOf('»')).split('\n');
  const [line, column] = [before.length, (before.at(-1) ?? '').length + 1];
  const text = marked.replace('»', '');
  const { mapping, findings } = compileMapping({
    ...{ name: `mappings/${dialect.kind}.yaml`, text, dialect },
    readFile: () => undefined,
  });
  const found = findings.find(({ at }) => at?.line === line && at.column === column);
  if (!found || mapping)
    throw new Error(`nothing at ${line}:${column} among\n${findings.map(formatFinding).join('\n')}`);
  return found;
}
