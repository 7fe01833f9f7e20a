import { readTrustedProxies } from '@wrapup/telemetry';
import { formatBytes, parseSize } from './body/parse-size.ts';

export interface IngressOptions {
  /** Bytes of one body, after decompression. `INGRESS_MAX_BODY`, 25 MB. */
  maxBody: number;
  /** Bytes of all bodies being received or stored. `INGRESS_MAX_IN_FLIGHT`, 128 MB. */
  maxInFlight: number;
  /** Connections held at once. `INGRESS_MAX_CONNECTIONS`, 2,000. */
  maxConnections: number;
  /** Proxies whose `X-Forwarded-For` says who sends. `INGRESS_TRUSTED_PROXY`, none. */
  trustedProxies: string[];
  /** Whether `/readyz` and `/metrics` are answered; not where `INGRESS_INTERNAL_PORT` moves them. */
  observable: boolean;
  /** Milliseconds that storing a call may take before the sender is asked to send again. */
  storeWithin: number;
  /** Asked for by `/metrics` when set. */
  metricsToken?: string | undefined;
}

export const DEFAULT_OPTIONS: IngressOptions = {
  maxBody: 25 * 1024 ** 2,
  maxInFlight: 128 * 1024 ** 2,
  maxConnections: 2_000,
  trustedProxies: [],
  observable: true,
  storeWithin: 900,
};

/**
 * @param read gives the value of an environment variable
 * @throws Error that names the variable and what to give instead
 */
export function readOptions(read: (name: string) => string | undefined): IngressOptions {
  const size = (name: string, usual: number) => {
    const text = read(name);
    return text ? parseSize(name, text) : usual;
  };
  const maxBody = size('INGRESS_MAX_BODY', DEFAULT_OPTIONS.maxBody);
  const maxInFlight = size('INGRESS_MAX_IN_FLIGHT', DEFAULT_OPTIONS.maxInFlight);
  if (maxInFlight < maxBody) {
    throw new Error(
      `INGRESS_MAX_IN_FLIGHT is ${formatBytes(maxInFlight)}, below INGRESS_MAX_BODY of ${formatBytes(maxBody)}: the largest bodies would never be taken. Raise the one or lower the other.`,
    );
  }
  const connections = read('INGRESS_MAX_CONNECTIONS') || String(DEFAULT_OPTIONS.maxConnections);
  if (!/^[1-9]\d{0,5}$/.test(connections)) {
    throw new Error(`INGRESS_MAX_CONNECTIONS is "${connections}", which is no number from 1 to 999999`);
  }
  return {
    ...DEFAULT_OPTIONS,
    maxBody,
    maxInFlight,
    maxConnections: Number(connections),
    trustedProxies: readTrustedProxies('INGRESS_TRUSTED_PROXY', read('INGRESS_TRUSTED_PROXY') ?? ''),
    metricsToken: read('METRICS_TOKEN') || undefined,
  };
}
