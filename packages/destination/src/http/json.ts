/** Reading what came over the wire: whatever it is, it has the shape that is asked for, or is empty. */

export function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** JSON, whatever the content type says; undefined when it is none. */
export function parseBody(text: string, contentType: string | undefined): unknown {
  if (contentType?.includes('html')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
