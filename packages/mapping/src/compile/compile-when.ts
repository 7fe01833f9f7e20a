import type { Call } from '@wrapup/call';
import type { Finding } from '@wrapup/findings';
import { checkShape, fromPlain, type Locate, Report } from '@wrapup/findings';
import type { Compiling } from '../language/compile-path.ts';
import { compileCondition } from '../language/predicate.ts';
import type { Value } from '../model/plan.ts';
import { whenSchema } from '../schema/when-schema.ts';
import { PLAIN_READING } from '../values/compare.ts';

export interface WhenOptions {
  /** Whether `person.*` may be read: the person has been looked up when the condition is asked. Default false. */
  person?: boolean;
}

/**
 * Compiles a condition that stands outside a mapping, such as the `when` of a route: the same predicates, but no
 * `person.*` unless asked for, since usually the person has not been looked up yet.
 *
 * @param value the condition as plain values
 * @param locate place of what stands at a path inside it, or of its key: `['any', 0, 'path']`
 * @returns `when` only if there is no error; it never throws
 */
export function compileWhen(
  value: unknown,
  locate: Locate,
  options: WhenOptions = {},
): { when?: (call: Call, person?: Record<string, Value>) => boolean; findings: Finding[] } {
  const report = new Report();
  const node = fromPlain(value, locate);
  if (!node) {
    report.error('bad-value', 'the condition is nested too deep', locate([], 'value'), 'write it flatter');
    return { findings: report.findings };
  }
  checkShape(node, whenSchema, report, { base: ['when'] });
  const needs = options.person ? new Map() : undefined;
  const compiling: Compiling = { report, needs, reading: PLAIN_READING };
  const condition = compileCondition(node, compiling);
  if (report.failed || !condition) return { findings: report.findings };
  return { findings: report.findings, when: (call, person) => condition({ call, person }) };
}
