import type { Place } from './plan.ts';

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
