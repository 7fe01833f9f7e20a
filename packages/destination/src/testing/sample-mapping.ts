import { formatFinding } from '@wrapup/findings';
import { type CompiledMapping, compileMapping, type Dialect } from '@wrapup/mapping';

/** A mapping written in a test of an adapter. @throws its mistakes, each with its place */
export function compileSample(dialect: Dialect, text: string): CompiledMapping {
  const name = `mappings/${dialect.kind}.yaml`;
  const { mapping, findings } = compileMapping({ name, text, dialect, readFile: () => undefined });
  if (!mapping || findings.length > 0)
    throw new Error(findings.map(formatFinding).join('\n') || 'nothing was compiled');
  return mapping;
}
