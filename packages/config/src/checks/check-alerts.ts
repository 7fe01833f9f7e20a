import type { DestinationKind } from '@wrapup/destination';
import { type Finding, suggest } from '@wrapup/findings';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';

/** `alerts.to` must name a connection, and one of a kind that takes notices. */
export function checkAlerts(
  { alerts, declared }: WrapupFile,
  document: YamlDocument,
  kinds: Record<string, DestinationKind>,
): Finding[] {
  if (!alerts) return [];
  const at = document.origin(['alerts', 'to']).value;
  if (!Object.hasOwn(declared, alerts.to)) {
    const message = `alerts: there is no connection "${alerts.to}"`;
    return [
      { severity: 'error', code: 'unknown-connection', message, hint: suggest(alerts.to, Object.keys(declared)), at },
    ];
  }
  const kind = declared[alerts.to];
  if (kind === undefined || !Object.hasOwn(kinds, kind) || kinds[kind]?.notifies) return [];
  const able = Object.values(kinds).flatMap((one) => (one.notifies ? [one.kind] : []));
  const message = `alerts: connection "${alerts.to}" is of kind ${kind}, which takes no alerts`;
  return [{ severity: 'error', code: 'no-notices', message, hint: `name one of kind ${able.join(', ')}`, at }];
}
