import { isIP, isIPv6, SocketAddress } from 'node:net';
import { compile } from 'proxy-addr';

/** A request of Express, whose `trust proxy` says what `ip` is made of. */
interface Request {
  readonly ip?: string | undefined;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * Address of the client: of the socket or, behind a trusted proxy, what that proxy says in `X-Forwarded-For`. In
 * canonical form, IPv4 as such.
 */
export function clientAddress(request: Request): string {
  const said = request.ip;
  const own = request.socket.remoteAddress ?? '';
  // The kernel's own form is canonical already, and most requests have it.
  const address = said === undefined || said === own || isIP(said) === 0 ? own : canonical(said);
  return address.startsWith(MAPPED_IPV4) && address.includes('.') ? address.slice(MAPPED_IPV4.length) : address;
}

const MAPPED_IPV4 = '::ffff:';

function canonical(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%');
  return new SocketAddress({ address: bare, family: 'ipv6' }).address;
}

/** What a client's share is counted by: an IPv4 address, or the /64 of an IPv6 address, which is what one customer has. */
export function networkOf(address: string): string {
  // Cheaper than `isIPv6`, and every address that comes here is one.
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const last = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0');
  return [...groups, ...zeros, ...last].slice(0, 4).join(':');
}

/** Ranges that Express knows by name. */
const PROXY_RANGES = new Set(['loopback', 'linklocal', 'uniquelocal']);

/**
 * Addresses, networks and names of ranges of proxies in front, for Express's `trust proxy`.
 * @param variable its name, for the message
 * @param list its value, separated by commas
 * @throws Error that names the variable and the entry which is none of these
 */
export function readTrustedProxies(variable: string, list: string): string[] {
  const proxies = list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean);
  for (const proxy of proxies) {
    if (!isProxy(proxy)) {
      throw new Error(
        `${variable} holds "${proxy}", which is no address of a proxy: give addresses or networks such as 10.0.0.5 or 172.16.0.0/12, separated by commas`,
      );
    }
  }
  return proxies;
}

function isProxy(entry: string): boolean {
  const [base = '', prefix] = entry.split('/');
  // All addresses would be any sender, and any sender could then claim to be another.
  if ((isIP(base) === 0 && !PROXY_RANGES.has(entry)) || Number(prefix ?? 1) === 0) return false;
  try {
    compile([entry]);
    return true;
  } catch {
    return false;
  }
}
