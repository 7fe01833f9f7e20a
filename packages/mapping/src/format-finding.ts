import type { Finding } from './finding.ts';

/**
 * A finding as compilers print them: `mappings/hubspot.yaml:12:7: error: what is wrong [unknown-path]`, and what to do
 * about it on a second line.
 */
export function formatFinding({ severity, code, message, hint, at }: Finding): string {
  const place = at ? `${at.file}:${at.line}:${at.column}: ` : '';
  const first = `${place}${severity}: ${message} [${code}]`;
  return hint ? `${first}\n    ${hint}` : first;
}
