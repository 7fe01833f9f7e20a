/** What one endpoint of the API is, apart from how it is served. */

import type { Reply } from '../../reply.ts';
import type { HubSpotSandboxSettings } from '../../settings.ts';
import type { Account } from '../account.ts';
import type { ObjectType } from '../schema/object-types.ts';
import { HubSpotRefusal, malformed } from './refusal.ts';

/** A request that came through: authenticated, within its limits, with a body that is JSON. */
export interface HubSpotRequest {
  account: Account;
  settings: HubSpotSandboxSettings;
  /** Number in the request log. */
  n: number;
  /** `v3`, `v4` or `2026-09`. */
  version: string;
  params: Record<string, string>;
  query: URLSearchParams;
  /** Undefined when there is none. */
  body: unknown;
  bodyText: string;
}

export interface HubSpotEndpoint {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Paths below the API's root, with `:name` parameters. */
  paths: string[];
  /** Short name for counting: `batch/create`. */
  operation: string;
  /** Any one of these is enough. */
  scopes(call: HubSpotRequest): string[];
  /** Limited by the search window instead of the ten-second one. */
  isSearch?: boolean;
  /** Asks for no token, counts against no limit, and reads its body itself. */
  isOpen?: boolean;
  handle(call: HubSpotRequest): Reply | Promise<Reply>;
}

/** Versions by date that answer now. https://developers.hubspot.com/changelog/introducing-date-based-api-versioning */
export const DATE_VERSIONS = ['2026-03', '2026-09'];

/** The paths of one resource in every style it is served in: by number, and by date behind the resource's name. */
export function paths(number: string, resource: string, rest = ''): string[] {
  return [`/crm/${number}/${resource}${rest}`, ...DATE_VERSIONS.map((date) => `/crm/${resource}/${date}${rest}`)];
}

/** The type that the path names. */
export function typeOf(call: HubSpotRequest, param = 'object'): ObjectType {
  return call.account.schema.type(call.params[param] ?? '');
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const noContent = (): Reply => ({ status: 204 });

/** The body as an object. @throws Refusal */
export function bodyOf(call: HubSpotRequest): Record<string, unknown> {
  return asObject(call.body, 'the body');
}

export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} must be an object`);
  return value as Record<string, unknown>;
}

export function asArray(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} must be an array`);
  return value;
}

/** Ids may come as numbers too. */
export function asId(value: unknown, what: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw malformed(`${what} must be a string`);
}

export function asStrings(value: unknown, what: string): string[] {
  return asArray(value ?? [], what).map((item) => {
    if (typeof item !== 'string') throw malformed(`${what} must hold strings`);
    return item;
  });
}

/** `?properties=a,b&properties=c` */
export function listOf(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );
}

/** `?limit=…`. @throws Refusal when it is no number or out of range */
export function limitOf(query: URLSearchParams, fallback: number, most: number): number {
  const given = query.get('limit');
  if (given === null) return fallback;
  const limit = Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw new HubSpotRefusal(`Invalid limit ${given}: it must be between 1 and ${most}`, {
      category: 'VALIDATION_ERROR',
    });
  }
  return limit;
}
