/** Where a file says something. Lines and columns count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** Something wrong, or worth knowing, about a config or a mapping. Errors keep it from being loaded. */
export interface Finding {
  severity: 'error' | 'warning';
  /** Stable: `unknown-path`, `unknown-transform`, `duplicate-key`, … */
  code: string;
  /** What is wrong, and what was expected. */
  message: string;
  /** What to do about it: the nearest right name, the fix. */
  hint?: string;
  at?: Place;
}

/**
 * A finding as compilers print them: `mappings/hubspot.yaml:12:7: error: what is wrong [unknown-path]`, and what to do
 * about it on a second line.
 */
export function formatFinding({ severity, code, message, hint, at }: Finding): string {
  const place = at ? `${at.file}:${at.line}:${at.column}: ` : '';
  const first = `${place}${severity}: ${message} [${code}]`;
  return hint ? `${first}\n    ${hint}` : first;
}
