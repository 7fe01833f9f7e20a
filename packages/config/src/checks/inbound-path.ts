/**
 * Paths that can be read before an inbound call connects: the few facts of the call, and what the CRM knows of the caller.
 */
import { suggest } from '@wrapup/findings';
import { parsePath } from '@wrapup/mapping';

/** What is known of a call before it connects, by path. */
const INBOUND_PATHS = [
  'call.from_number',
  'call.to_number',
  'call.direction',
  'call.agent.id',
  'lead.phone',
  'lead.phone_raw',
  'lead.country',
  'source.name',
] as const;

/** Names under which records are read along with a person: lists of them, and the one open record of a kind. */
export interface AlongNames {
  related: readonly string[];
  open: readonly string[];
}

/** Records of one kind that are read along with a person, at most. */
export const MAX_RELATED = 5;

/** The segments of a path, as the mapping language reads one; undefined for what is no path. */
export function parseInboundPath(text: string): (string | number)[] | undefined {
  const read = parsePath(text);
  return 'segments' in read ? read.segments : undefined;
}

/** Why a path cannot be read before the call connects, and what to write instead. Undefined when it can. */
export function pathProblem(
  text: string,
  { related, open }: AlongNames,
): { code: 'bad-path' | 'unknown-path'; message: string; hint: string } | undefined {
  const segments = parseInboundPath(text);
  if (!segments) {
    const hint = 'write a path such as person.firstname, or { value: … } for a fixed text';
    return { code: 'bad-path', message: `"${text.trim()}" is not a path`, hint };
  }
  const path = text.trim();
  const [root, name, index, property, ...more] = segments;
  if (root !== 'person') {
    if ((INBOUND_PATHS as readonly string[]).includes(path)) return undefined;
    const hint = suggest(path, ['person.firstname', ...INBOUND_PATHS]);
    return { code: 'unknown-path', message: `"${path}" is not known before the call connects`, hint };
  }
  if (name === undefined || typeof name === 'number') {
    const message = `"${path}" is a section, not a value`;
    return { code: 'unknown-path', message, hint: 'go on to a property, as in person.firstname' };
  }
  if (open.includes(name)) {
    if (segments.length === 3 && typeof index === 'string') return undefined;
    const message = `"${path}" does not name one value of the ${name}`;
    return { code: 'unknown-path', message, hint: `write person.${name}.<property>` };
  }
  if (segments.length === 2 && !related.includes(name)) return undefined;
  if (!related.includes(name)) {
    const along = [...related, ...open];
    const message = `"${path}": only properties of the person itself can be read${along.length > 0 ? `, and ${along.join(', ')}` : ''}`;
    return {
      code: 'unknown-path',
      message,
      hint: along.length > 0 ? suggest(name, along) : `write person.${name}`,
    };
  }
  if (typeof index !== 'number' || index >= MAX_RELATED || typeof property !== 'string' || more.length > 0) {
    const message = `"${path}" does not name one value of one of the ${name}`;
    const hint = `write person.${name}[0].<property>; 0 to ${MAX_RELATED - 1} are read`;
    return { code: 'unknown-path', message, hint };
  }
  return undefined;
}

/** The same for a condition. What is read along may be missing when it is asked, so that it must not hang on that. */
export function conditionProblem(text: string, { related, open }: AlongNames): ReturnType<typeof pathProblem> {
  const [root, name] = parseInboundPath(text) ?? [];
  if (root !== 'person' || ![...related, ...open].includes(String(name)))
    return pathProblem(text, { related: [], open: [] });
  return {
    code: 'unknown-path',
    message: `"${text.trim()}": only properties of the person itself can be read here`,
    hint: `a record that could not be read in time would decide it: go by a property of the person, and give person.${name} to the agent as a variable`,
  };
}

/** Every `path:` in a written condition. */
export function pathsIn(written: unknown, depth = 0): string[] {
  if (typeof written !== 'object' || written === null || depth > 40) return [];
  if (Array.isArray(written)) return written.flatMap((item) => pathsIn(item, depth + 1));
  return Object.entries(written).flatMap(([key, value]) =>
    key === 'path' && typeof value === 'string' ? [value] : pathsIn(value, depth + 1),
  );
}
