import { asObject } from '@wrapup/call';
import { reportIssues } from '@wrapup/findings';
import type { z } from 'zod';
import type { YamlDocument } from '../file/document.ts';
import {
  alertsSchema,
  clientVariablesSchema,
  connectionSchema,
  dashboardSchema,
  digestSchema,
  inboundSchema,
  retentionSchema,
  routeSchema,
  sourceSchema,
  type WrapupFile,
  wrapupSchema,
} from '../file/schema.ts';

/**
 * Checks the shape of the whole file. Parts with mistakes are repaired for the later checks where possible (an unknown key
 * is left out, a bad value takes its default), so that all mistakes are reported at once.
 */
export function checkShape(document: YamlDocument): WrapupFile {
  const { value } = document;
  const parsed = wrapupSchema.safeParse(value);
  if (!parsed.success) reportShape(parsed.error.issues, document);
  const sections = asObject(value);
  const declared: WrapupFile['declared'] = {};
  for (const [name, connection] of Object.entries(asObject(sections.connections))) {
    const { kind } = asObject(connection);
    declared[name] = typeof kind === 'string' ? kind : undefined;
  }
  if (parsed.success) return { ...parsed.data, declared };
  const inbound = repair(inboundSchema, sections.inbound);
  const alerts = repair(alertsSchema, sections.alerts);
  const dashboard = sections.dashboard === undefined ? undefined : repair(dashboardSchema, sections.dashboard);
  return {
    sources: repairAll(sourceSchema, sections.sources),
    connections: repairAll(connectionSchema, sections.connections),
    routes: Array.isArray(sections.routes) ? sections.routes.map(repairRoute) : [],
    ...(inbound ? { inbound } : {}),
    ...(alerts ? { alerts } : {}),
    digests: Array.isArray(sections.digests) ? sections.digests.map((digest) => repair(digestSchema, digest)) : [],
    client_variables: repair(clientVariablesSchema, asObject(sections.client_variables)) ?? {},
    ...(typeof sections.encryption_key === 'string' ? { encryption_key: sections.encryption_key } : {}),
    ...(dashboard ? { dashboard } : {}),
    retention: repair(retentionSchema, asObject(sections.retention)) ?? retentionSchema.parse({}),
    declared,
  };
}

/** @param base path in the document at which the checked value stands */
export function reportShape(
  issues: readonly z.core.$ZodIssue[],
  { root, report }: YamlDocument,
  base: readonly PropertyKey[] = [],
): void {
  if (root)
    reportIssues(
      issues.map((issue) => ({ ...issue, path: [...base, ...issue.path] })),
      root,
      report,
    );
}

function repair<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> | undefined {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  const repaired = { ...asObject(value) };
  for (const issue of first.error.issues) {
    const [key] = issue.path;
    if (key !== undefined) delete repaired[String(key)];
    else if (issue.code === 'unrecognized_keys') for (const unknown of issue.keys) delete repaired[unknown];
  }
  const second = schema.safeParse(repaired);
  return second.success ? second.data : undefined;
}

/** A route without a good name is still worth checking under a stand-in. */
function repairRoute(route: unknown, index: number) {
  return repair(routeSchema, route) ?? repair(routeSchema, { ...asObject(route), name: `route-${index + 1}` });
}

function repairAll<Schema extends z.ZodType>(schema: Schema, value: unknown): Record<string, z.output<Schema>> {
  const repaired: Record<string, z.output<Schema>> = {};
  for (const [name, item] of Object.entries(asObject(value))) {
    const good = repair(schema, item);
    if (good !== undefined) repaired[name] = good;
  }
  return repaired;
}
