/** What zod found wrong, as findings with a place, in the words of somebody who edits YAML. */
import { type Finding, nearest, suggest, TYPE_NAMES } from '@wrapup/findings';
import type { z } from 'zod';
import { pathKey, UNSET, type YamlDocument } from './document.ts';

type Issue = z.core.$ZodIssue;

/** Keys that the schema knows at a path; undefined where any key goes. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] | undefined {
  const def = schema._zod.def as unknown as {
    type: string;
    shape?: Record<string, z.core.$ZodType>;
    element?: z.core.$ZodType;
    valueType?: z.core.$ZodType;
    innerType?: z.core.$ZodType;
    in?: z.core.$ZodType;
    out?: z.core.$ZodType;
  };
  if (def.innerType) return keysAt(def.innerType, path);
  if (def.type === 'pipe') {
    // A preprocessed value has its shape on the far side, a transformed one on the near side.
    return (def.in && keysAt(def.in, path)) ?? (def.out && keysAt(def.out, path));
  }
  const [first, ...rest] = path;
  if (def.shape) {
    if (first === undefined) return Object.keys(def.shape);
    const inner = Object.hasOwn(def.shape, first) ? def.shape[String(first)] : undefined;
    return inner && keysAt(inner, rest);
  }
  const inner = def.element ?? def.valueType;
  return inner && first !== undefined ? keysAt(inner, rest) : undefined;
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return TYPE_NAMES[typeof value] ?? typeof value;
}

/** `connections.sales.access_token`, `routes[0].to`. */
export function writePath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(String(part))) text += text ? `.${String(part)}` : String(part);
    else text += `["${String(part)}"]`;
  }
  return text || 'the file';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at;
}

/**
 * @param base path in the document at which the checked value stands
 * @param schema for the names that would have been right
 */
export function findingsOf(
  issues: readonly Issue[],
  document: YamlDocument,
  schema: z.core.$ZodType,
  base: readonly PropertyKey[] = [],
): Finding[] {
  const mistyped = mistypedKeys(issues, document, schema, base);
  return issues.flatMap((issue): Finding[] => {
    const path = [...base, ...issue.path];
    const value = valueAt(document.value, path);
    // A bare value is a list of one for the schema: the stand-in is then what the list would be.
    if (value === UNSET || valueAt(document.value, path.slice(0, -1)) === UNSET) return [];
    const where = writePath(path);
    const origin = document.origin(path);
    const finding = (code: string, message: string, hint?: string, at = origin.value): Finding => ({
      severity: 'error',
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      at,
    });
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => {
          const { known, left } = namesLeft(schema, issue.path, value);
          const hint = nearest(key, left) === undefined ? suggest(key, known) : suggest(key, left);
          const inside = path.length === 0 ? 'at the top of the file' : `in ${where}`;
          return finding('unknown-key', `unknown key "${key}" ${inside}`, hint, document.origin([...path, key]).key);
        });
      case 'invalid_type':
        if (value === undefined) {
          if (mistyped.has(pathKey(path))) return [];
          const emptied = document.emptied.get(pathKey(path));
          if (emptied) {
            return [
              finding(
                'empty-variable',
                `${where} is required, and ${emptied.join(', ')} is empty`,
                `set ${emptied[0]}`,
              ),
            ];
          }
          return [finding('missing-key', `${where} is required`, `write ${String(path.at(-1))}: …`, origin.key)];
        }
        if (value === null)
          return [finding('bad-value', `${where} has no value`, 'give it one, or remove the key', origin.key)];
        return [
          finding(
            'bad-value',
            issue.message.startsWith('must ')
              ? `${where} ${issue.message}`
              : `${where} must be ${TYPE_NAMES[issue.expected] ?? issue.expected}, not ${typeOf(value)}`,
          ),
        ];
      case 'invalid_value': {
        const values = issue.values.map(String);
        // A value out of a variable may be a secret that went astray: it is never repeated.
        const shown = typeof value === 'string' && origin.variables.length === 0 ? `: "${value.slice(0, 40)}"` : '';
        const hint = typeof value === 'string' && shown ? suggest(value, values) : `one of: ${values.join(', ')}`;
        return [finding('bad-value', `${where} is none of ${values.join(', ')}${shown}`, hint)];
      }
      case 'invalid_key':
        return [
          finding(
            'bad-name',
            `the name "${String(path.at(-1)).slice(0, 60)}" ${issue.issues[0]?.message ?? 'is not allowed'}`,
            'names are permanent: they are part of the keys of what is written',
            origin.key,
          ),
        ];
      default: {
        const isName = issue.path.at(-1) === 'name' && issue.code === 'invalid_format';
        return [finding(isName ? 'bad-name' : 'bad-value', `${where} ${issue.message}`)];
      }
    }
  });
}

/** Names that a section may have, and those of them that it does not have yet: only these can have been meant. */
function namesLeft(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown) {
  const known = keysAt(schema, path) ?? [];
  const given = Object.keys((value as object | undefined) ?? {});
  return { known, left: known.filter((name) => !given.includes(name)) };
}

/** Paths of keys that are there under a mistyped name: to call them missing too would be one finding too many. */
function mistypedKeys(
  issues: readonly Issue[],
  document: YamlDocument,
  schema: z.core.$ZodType,
  base: readonly PropertyKey[],
): Set<string> {
  const paths = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const path = [...base, ...issue.path];
    const { left } = namesLeft(schema, issue.path, valueAt(document.value, path));
    for (const key of issue.keys) {
      const meant = nearest(key, left);
      if (meant !== undefined) paths.add(pathKey([...path, meant]));
    }
  }
  return paths;
}
