/** Where a file says something. Lines and columns count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** A change of the file at a finding's place that makes it go away and keeps what the file means. */
export type Fix =
  /** The key or the text there becomes this one. */
  | { replace: string }
  /** The value there becomes a section with this key: `HIGH` becomes `{ value: HIGH }`. */
  | { wrap: string }
  /** The key there goes, with its value. */
  | { remove: true };

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
  /** What `wrapup check --fix` changes there. Absent: a person has to. */
  fix?: Fix;
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

/** By file, then by place in it. @param first the file that comes before all others */
export function sortFindings(findings: Finding[], first: string): void {
  const rank = (at: Place | undefined) => (at === undefined || at.file === first ? '' : at.file);
  findings.sort(
    (a, b) =>
      rank(a.at).localeCompare(rank(b.at)) ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0),
  );
}
