import { isIP, isIPv6, SocketAddress } from 'node:net';
import type { Request } from 'express';

/**
 * Address of the client: of the socket or, behind a trusted proxy, what that proxy says in `X-Forwarded-For`. In
 * canonical form, IPv4 as such.
 */
export function clientAddress(request: Request): string {
  const said = request.ip ?? '';
  const address = isIP(said) ? said : (request.socket.remoteAddress ?? '');
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%');
  return new SocketAddress({ address: bare, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** What attempts are counted by: an IPv4 address, or the /64 of an IPv6 address, which is what one customer has. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const last = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0');
  return [...groups, ...zeros, ...last].slice(0, 4).join(':');
}
