import type { DestinationKind } from '@wrapup/destination';
import { always } from './checks/check-routes.ts';
import { formatDuration, formatTimeOfDay } from './file/units.ts';
import { KINDS } from './kinds.ts';
import type { Config, Inbound } from './model/config.ts';

const MASK = '(set)';

function mask(value: unknown): unknown {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return undefined;
  return Array.isArray(value) ? `(${value.length} set)` : MASK;
}

/** Settings of a connection without their secrets: what the kind calls one, at any depth, and passwords in addresses. */
function maskSettings(settings: unknown, secrets: ReadonlySet<string>): unknown {
  if (Array.isArray(settings)) return settings.map((item) => maskSettings(item, secrets));
  if (typeof settings === 'string') return settings.replace(/^(https?:\/\/)[^/@]*@/i, '$1***@');
  if (typeof settings !== 'object' || settings === null) return settings;
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key,
      secrets.has(key) ? mask(value) : maskSettings(value, secrets),
    ]),
  );
}

/** The configuration as a plain value without secrets: those are shown as set or not set. */
export function describeConfig(config: Config, kinds: Record<string, DestinationKind> = KINDS): object {
  return {
    file: config.file,
    hash: config.hash,
    sources: Object.fromEntries(
      Object.entries(config.sources).map(([name, source]) => [
        name,
        {
          ...source,
          name: undefined,
          webhook_secrets: mask(source.webhook_secrets),
          path_token: mask(source.path_token),
          api_key: mask(source.api_key),
          inbound: source.inbound && describeInbound(source.inbound),
          // Agents have names and numbers of their own staff; how many is enough here.
          agents: Object.keys(source.agents).length,
          reconcile:
            source.reconcile &&
            Object.fromEntries(Object.entries(source.reconcile).map(([key, ms]) => [key, formatDuration(ms)])),
        },
      ]),
    ),
    connections: Object.fromEntries(
      Object.values(config.connections).map(({ name, kind, reserve, gather = 0, settings }) => {
        const secrets = new Set(kinds[kind]?.secrets ?? []);
        const quota = { reserve: `${Math.round((reserve ?? 0) * 1000) / 10}%` };
        return [name, { kind, quota, gather: formatDuration(gather), ...(maskSettings(settings, secrets) as object) }];
      }),
    ),
    routes: config.routes.map(({ name, from, to, mapping, when, also, retries }) => ({
      name,
      from,
      to,
      mapping: { name: mapping.name, hash: mapping.hash },
      conditional: when !== always,
      also,
      retries: {
        attempts: retries.attempts,
        base: formatDuration(retries.base),
        cap: formatDuration(retries.cap),
      },
    })),
    alerts: config.alerts,
    digests: config.digests.map(({ mapping, at, ...digest }) => ({
      ...digest,
      at: formatTimeOfDay(at),
      mapping: { name: mapping.name, hash: mapping.hash },
    })),
    retention: config.retention,
  };
}

function describeInbound({ variables, metadata, personal, agents, within, office_hours, ...rest }: Inbound): object {
  return {
    ...rest,
    variables: Object.keys(variables),
    metadata: Object.keys(metadata),
    ...(office_hours && { office_hours: { ...office_hours, holidays: [...office_hours.holidays] } }),
    ...(personal && { personal: Object.keys(personal.variables) }),
    agents: agents.length,
    within: formatDuration(within),
  };
}
