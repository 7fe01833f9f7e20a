/** Where connections lead: onto the internet, into a private network, to the sandbox, or to this machine. */
import { BlockList, isIP } from 'node:net';

/** Settings that say where, the one that goes before others first. */
export const ADDRESSES = ['base_url', 'login_url', 'url'] as const;
/** Name of the sandbox in the network of docker-compose.yml. */
const SANDBOX = 'sandbox';
/** Names that no public resolver answers for (RFC 6761, RFC 6762, ICANN). */
const PRIVATE_NAME = /\.(?:local|internal|test)$/;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** RFC 1918, RFC 3927, RFC 4193, RFC 4291 and, for networks of carriers and overlays, RFC 6598. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(network, bits);
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

export type Zone = 'loopback' | 'sandbox' | 'private' | 'internet';

export interface TargetHost {
  /** Scheme, host and port. */
  origin: string;
  zone: Zone;
}

/** Where a host is, by its name or address alone: nothing is resolved. */
export function zoneOf({ hostname }: URL): Zone {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const version = isIP(host);
  if (version > 0) {
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (LOOPBACK.check(host, family)) return 'loopback';
    return PRIVATE.check(host, family) ? 'private' : 'internet';
  }
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  if (host === SANDBOX) return 'sandbox';
  // A name without a dot is a neighbour's in a container network.
  return !host.includes('.') || PRIVATE_NAME.test(host) ? 'private' : 'internet';
}

/**
 * Returns the host that a connection leads to. An unknown address counts as the internet.
 *
 * @param kind whose address counts where the settings name none
 * @param settings as wrapup.yaml has them, or as a kind's schema accepted them
 */
export function targetHostOf(kind: { kind: string; address?: string }, settings: unknown): TargetHost {
  const given = settings as Record<string, unknown>;
  const address = ADDRESSES.map((name) => given[name]).find((value) => typeof value === 'string' && value !== '');
  const url = URL.parse(String(address ?? kind.address ?? ''));
  return url?.hostname ? { origin: url.origin, zone: zoneOf(url) } : { origin: kind.kind, zone: 'internet' };
}

/** Whether it is a real system, beside which a weak secret is an error. Private networks count. */
export function isLive({ zone }: TargetHost): boolean {
  return zone === 'internet' || zone === 'private';
}
