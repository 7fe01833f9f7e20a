import type { Part } from '../language/text.ts';
import type { Piece } from '../texts/render.ts';
import { Absent, type Scope, toText } from '../values/found.ts';

/** What a text is made of, for one call. */
export type TextSource = (scope: Scope) => Piece[] | Absent;

/** Literal parts with line breaks that show; what the call says apart. */
export function partsSource(parts: Part[]): TextSource {
  return (scope) => {
    let absent: Absent | undefined;
    let present = !parts.some((part) => typeof part !== 'string');
    const pieces = parts.map((part): Piece => {
      if (typeof part === 'string') return { html: part.replaceAll('\n', '<br>'), plain: part };
      const value = toText(part(scope));
      if (value instanceof Absent) absent ??= value;
      else present = true;
      return { said: value instanceof Absent ? '' : value };
    });
    return present ? pieces : (absent ?? NOTHING);
  };
}

const NOTHING = new Absent('there is nothing to write');
