import { own } from '@wrapup/call';
import type { DestinationKind } from '@wrapup/destination';
import { suggest } from '@wrapup/findings';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import type { Connection } from '../model/config.ts';
import { reportShape } from './check-shape.ts';
import { isLive, targetHostOf } from './target-host.ts';

/**
 * Gives every connection's settings to the schema of its kind. A connection with a finding is missing in the result, and
 * one whose variables this process may lack.
 */
export function checkConnections(
  file: WrapupFile,
  document: YamlDocument,
  kinds: Record<string, DestinationKind>,
): Record<string, Connection> {
  const connections: Record<string, Connection> = {};
  for (const [name, { kind: kindName, quota, gather, ...settings }] of Object.entries(file.connections)) {
    const path = ['connections', name];
    const kind = own(kinds, kindName);
    if (!kind) {
      const at = document.origin([...path, 'kind']).value;
      const hint = suggest(kindName, Object.keys(kinds));
      document.report.error('unknown-kind', `connections.${name}: unknown kind "${kindName}"`, at, hint);
      continue;
    }
    if (document.isSpared(path)) continue;
    const parsed = kind.settings.safeParse(settings);
    if (parsed.success)
      connections[name] = { name, kind: kindName, reserve: quota.reserve, gather, settings: parsed.data };
    else reportShape(parsed.error.issues, document, path);
  }
  return connections;
}

/** The first connection that leads to a real system, with its address: beside it, a weak secret is an error. */
export function findLive(
  file: WrapupFile,
  kinds: Record<string, DestinationKind>,
): { name: string; origin: string } | undefined {
  for (const [name, { kind, ...settings }] of Object.entries(file.connections)) {
    const target = targetHostOf((Object.hasOwn(kinds, kind) && kinds[kind]) || { kind }, settings);
    if (isLive(target)) return { name, origin: target.origin };
  }
  return undefined;
}
