/** Which endpoint a path means. */
import type { SalesforceEndpoint } from './endpoint.ts';

export interface Match {
  endpoint: SalesforceEndpoint;
  /** `66.0` */
  version: string;
  params: Record<string, string>;
}

const ROOT = /^\/services\/data\/v(\d+\.0)(\/.*|)$/;

/** @param path from `/services` on, still encoded. @returns undefined when nothing is served there */
export function match(endpoints: SalesforceEndpoint[], method: string, path: string): Match | undefined {
  const [, version = '', rest = ''] = ROOT.exec(path) ?? [];
  if (version === '') return undefined;
  const given = split(rest);
  for (const endpoint of endpoints) {
    if (endpoint.method !== method) continue;
    const params = compare(split(endpoint.path), given);
    if (params) return { endpoint, version, params };
  }
  return undefined;
}

function split(path: string): string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/');
}

function compare(wanted: string[], given: string[]): Record<string, string> | undefined {
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const own = given[at] ?? '';
    if (part.startsWith(':')) {
      const value = decode(own);
      if (value === undefined || value === '') return undefined;
      params[part.slice(1)] = value;
    } else if (part !== own) return undefined;
  }
  return params;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
