import type { DestinationKind } from '@wrapup/destination';
import { suggest } from '@wrapup/findings';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';

/** `alerts.to` must name a connection, and one of a kind that takes notices. */
export function checkAlerts(
  { alerts, declared }: WrapupFile,
  { report, origin }: YamlDocument,
  kinds: Record<string, DestinationKind>,
): void {
  if (!alerts) return;
  const at = origin(['alerts', 'to']).value;
  if (!Object.hasOwn(declared, alerts.to)) {
    const hint = suggest(alerts.to, Object.keys(declared));
    report.error('unknown-connection', `alerts: there is no connection "${alerts.to}"`, at, hint);
    return;
  }
  const kind = declared[alerts.to];
  if (kind === undefined || !Object.hasOwn(kinds, kind) || kinds[kind]?.notifies) return;
  const able = Object.values(kinds).flatMap((one) => (one.notifies ? [one.kind] : []));
  const message = `alerts: connection "${alerts.to}" is of kind ${kind}, which takes no alerts`;
  report.error('no-notices', message, at, `name one of kind ${able.join(', ')}`);
}
