/**
 * Transforms: pure functions by name. A transform never sees an absent value and never throws on any JSON value; what it
 * cannot make sense of it answers with an `Absent` that says why, without quoting the value.
 */
import type { Json } from '@wrapup/call';
import type { ValueKind } from '../model/compiled.ts';
import type { Absent, Present } from '../values/found.ts';

export type TransformArgument = string | number;

export interface Parameter {
  name: string;
  /**
   * `integer` within `from`..`to`; `time_zone` an IANA name; `country` ISO 3166 alpha-2; `span` as `due_in` takes it;
   * `number_writing` one of en, de, fr, ch. Time zone and writing of numbers are the mapping's own where a line says none.
   */
  type: 'text' | 'integer' | 'time_zone' | 'country' | 'span' | 'number_writing';
  optional?: true;
  from?: number;
  to?: number;
}

export interface Transform {
  name: string;
  /** One sentence for the reference and for editors. */
  does: string;
  /** Required ones first. */
  parameters: readonly Parameter[];
  /** What kind of value comes out, whatever went in. Absent: that depends. */
  gives?: ValueKind;
  /** A value that shows what it does, and its arguments; the reference tells what comes out. */
  example?: { given: Present; args?: TransformArgument[] };
  /** Arguments as declared, checked when the mapping was loaded; missing optional ones are undefined. */
  apply(value: Present, ...args: (TransformArgument | undefined)[]): Json | Absent;
}

/** As one writes it: `round: [digits]`, an optional argument in brackets. */
export function describeUse({ name, parameters }: Transform): string {
  if (parameters.length === 0) return name;
  const shown = parameters.map((parameter) => (parameter.optional ? `[${parameter.name}]` : parameter.name));
  return `${name}: ${shown.join(', ')}`;
}
