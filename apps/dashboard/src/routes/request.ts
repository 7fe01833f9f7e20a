import type { Request } from 'express';

/** One value of the query: the first when there are several, undefined when it is empty. */
export function queryOf(request: Request, name: string): string | undefined {
  return textOf((request.query as Record<string, unknown>)[name]);
}

/** One field of a form that was sent. */
export function fieldOf(request: Request, name: string): string | undefined {
  return textOf(((request.body ?? {}) as Record<string, unknown>)[name]);
}

function textOf(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' && one !== '' ? one : undefined;
}
