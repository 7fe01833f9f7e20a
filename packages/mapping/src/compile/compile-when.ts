import type { Call } from '@wrapup/call';
import type { Finding } from '../finding.ts';
import type { Compiling } from '../language/compile-path.ts';
import { compileCondition } from '../language/predicate.ts';
import { Report } from '../report.ts';
import { checkShape } from '../schema/check-shape.ts';
import { whenSchema } from '../schema/when-schema.ts';
import { fromPlain, type Locate } from '../yaml/node.ts';

/**
 * Compiles a condition that stands outside a mapping, such as the `when` of a route: the same predicates, but no
 * `person.*`, since nobody has been looked up yet.
 *
 * @param value the condition as plain values
 * @param locate place of what stands at a path inside it, or of its key: `['any', 0, 'path']`
 * @returns `when` only if there is no error; it never throws
 */
export function compileWhen(value: unknown, locate: Locate): { when?: (call: Call) => boolean; findings: Finding[] } {
  const report = new Report();
  const node = fromPlain(value, locate);
  if (!node) {
    report.error('bad-value', 'the condition is nested too deep', locate([], 'value'), 'write it flatter');
    return { findings: report.findings };
  }
  checkShape(node, whenSchema, report, 'when');
  const compiling: Compiling = { report, needs: undefined };
  const condition = compileCondition(node, compiling);
  if (report.failed || !condition) return { findings: report.findings };
  return { findings: report.findings, when: (call) => condition({ call, person: undefined }) };
}
