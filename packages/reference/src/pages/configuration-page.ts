/** docs/reference/configuration.md: every key of wrapup.yaml, from the schema that checks it. */
import { wrapupEditorSchema } from '@wrapup/config';
import { code, GENERATED, table } from './markdown.ts';

interface Part {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  anyOf?: Part[];
  items?: Part;
  properties?: Record<string, Part>;
  additionalProperties?: Part | boolean;
  required?: string[];
  title?: string;
  $ref?: string;
}

const VARIABLE = '\\$\\{';

export function configurationPage(): string {
  const schema = wrapupEditorSchema() as Part;
  const sections = Object.entries(schema.properties ?? {}).map(([name, part]) => section(name, part));
  return `${[
    '# Keys of wrapup.yaml',
    GENERATED,
    '[The guide](../guide/configuration.md) explains the file; this page lists its keys. Every value may be `${VARIABLE}` or `${VARIABLE:-default}`. `<name>` stands for a name of your own: small letters, digits, dashes.',
    ...sections,
  ].join('\n\n')}\n`;
}

function section(name: string, part: Part): string {
  const kinds = asPart(part.additionalProperties)?.anyOf;
  const intro = `## ${code(name)}\n\n${part.description ?? ''}.`;
  if (kinds?.every((kind) => kind.title))
    return [intro, ...kinds.map((kind) => `### ${code(kind.title ?? '')}\n\n${keys(rows(kind, ''))}`)].join('\n\n');
  return `${intro}\n\n${keys(rows(part, ''))}`;
}

const keys = (all: string[][]) => table(['key', 'takes', 'default', 'effect'], all);
const asPart = (value: Part | boolean | undefined) => (typeof value === 'object' ? value : undefined);

function rows(part: Part, prefix: string): string[][] {
  const inner = asPart(part.additionalProperties);
  if (part.items && !part.properties) return rows(part.items, prefix);
  if (inner?.properties && !part.properties) return rows(inner, `${prefix}<name>.`);
  return Object.entries(part.properties ?? {}).flatMap(([name, one]) => {
    if (name === 'kind') return [];
    const required = part.required?.includes(name) ? ' (required)' : '';
    const own = [code(`${prefix}${name}`), takes(one), showDefault(one.default), `${one.description ?? ''}${required}`];
    const deeper = rows(one, `${prefix}${name}${one.items ? '[].' : '.'}`);
    return [own, ...deeper];
  });
}

function takes(part: Part): string {
  if (part.$ref?.endsWith('/when')) return 'a condition';
  if (part.$ref?.endsWith('/name')) return 'a name';
  if (part.enum) return part.enum.map((value) => code(String(value))).join(', ');
  if (part.anyOf)
    return [...new Set(part.anyOf.filter(({ pattern }) => pattern !== VARIABLE).map(takes))].join(', or ');
  if (part.type === 'array') return part.items?.properties ? 'a list of sections' : 'a list';
  if (part.type === 'integer' || part.type === 'number') return range(part);
  if (part.type === 'boolean') return '`true`, `false`';
  return part.type === 'object' ? 'a section' : 'text';
}

function range({ minimum, maximum }: Part): string {
  return minimum === undefined || maximum === undefined || maximum > 1e12 ? 'a number' : `${minimum} to ${maximum}`;
}

function showDefault(value: unknown): string {
  return value === undefined || value === '' ? '' : code(String(value));
}
