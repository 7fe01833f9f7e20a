import type { ValueKind } from '../model/compiled.ts';
import { Absent, type Evaluate, LONGEST_TEXT, toText } from '../values/found.ts';
import { type CompiledPath, type Compiling, compilePath, type LocateCharacter } from './compile-path.ts';
import { looksLikePath } from './path.ts';
import { type Placeholder, parseText } from './placeholders.ts';
import { compileStep, pipe, type Step } from './steps.ts';

/** Text of the mapping itself, or what a placeholder stands for. */
export type Part = string | Evaluate;

export interface CompiledText {
  parts: Part[];
  /** The value with its own type, where the text is one placeholder or one path; else the text put together. */
  evaluate: Evaluate;
  /** Set where it is one path without transforms. */
  path?: CompiledPath | undefined;
  /** Set where nothing of it comes from the call. */
  constant?: string;
  /** What kind of value it is, where that is certain. */
  gives?: ValueKind | undefined;
}

/** How a text without placeholders is read: as a path, or as itself unless it looks like a path. */
export type Bare = 'path' | 'text';

/** Compiles a text, or reports what is wrong with it. */
export function compileText(
  text: string,
  locate: LocateCharacter,
  bare: Bare,
  compiling: Compiling,
): CompiledText | undefined {
  const parsed = parseText(text);
  if ('error' in parsed) {
    const { code, message, hint, offset } = parsed.error;
    compiling.report.error(code, message, locate(offset), hint);
    return undefined;
  }
  const [first, ...rest] = parsed.parts;
  if (rest.length === 0 && typeof first !== 'object') {
    if (bare === 'text' && !looksLikePath(text)) return { parts: [text], evaluate: () => text, constant: text };
    const path = compilePath(text, locate, compiling, '; a fixed text is { value: … }');
    return path && { parts: [path.evaluate], evaluate: path.evaluate, path, gives: path.known.gives };
  }
  const compiled = parsed.parts.map((part) =>
    typeof part === 'string' ? part : compilePlaceholder(part, locate, compiling),
  );
  if (!compiled.every((part) => part !== undefined)) return undefined;
  const parts = compiled.map((part) => (typeof part === 'string' ? part : part.evaluate));
  const [only] = compiled;
  if (compiled.length === 1 && typeof only === 'object') return { parts, ...only };
  return { parts, evaluate: put(parts), gives: 'text' };
}

function compilePlaceholder(
  { path, offset, steps }: Placeholder,
  locate: LocateCharacter,
  compiling: Compiling,
): Pick<CompiledText, 'evaluate' | 'path' | 'gives'> | undefined {
  const source = compilePath(path, (inner) => locate(offset + inner), compiling);
  const stages = steps.map((step) => compileStep(step, locate, compiling));
  if (!source || !stages.every((stage): stage is Step => stage !== undefined)) return undefined;
  const last = stages.at(-1);
  return {
    evaluate: pipe(source.evaluate, stages),
    path: last ? undefined : source,
    gives: last ? last.gives : source.known.gives,
  };
}

/** An absent placeholder is empty text; a text whose placeholders are all absent is absent itself. */
function put(parts: Part[]): Evaluate {
  return (scope) => {
    let text = '';
    let absent: Absent | undefined;
    let present = false;
    for (const part of parts) {
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const value = toText(part(scope));
      if (value instanceof Absent) absent ??= value;
      else {
        present = true;
        text += value;
      }
    }
    if (!present && absent) return absent;
    return text.slice(0, LONGEST_TEXT);
  };
}
