/**
 * Which addresses an endpoint may have. A URL in the configuration, or an answer to a DNS
 * query for it, must not reach what only this machine and its network can reach.
 *
 * Special-purpose blocks: https://www.iana.org/assignments/iana-ipv4-special-registry and
 * https://www.iana.org/assignments/iana-ipv6-special-registry. Of IPv6 only what is allocated as global unicast is public.
 */
import { type Address, type Block, blockOf, contains, destinationOf, parseAddress } from './address.ts';

/** `private` may be allowed as a whole; `never` only by naming the address itself. */
type Rule = { block: string; is: string; allow: 'private' | 'never' };

const RULES: Rule[] = [
  // Before the blocks that hold them: what clouds tell a machine about itself, credentials included.
  { block: '169.254.169.254', is: 'a cloud’s metadata service', allow: 'never' },
  { block: '169.254.170.0/24', is: 'a cloud’s metadata service', allow: 'never' },
  { block: '100.100.100.200', is: 'a cloud’s metadata service', allow: 'never' },
  { block: '168.63.129.16', is: 'a cloud’s metadata service', allow: 'never' },
  { block: '192.0.0.192', is: 'a cloud’s metadata service', allow: 'never' },
  { block: 'fd00:ec2::/32', is: 'a cloud’s metadata service', allow: 'never' },
  { block: 'fd20:ce::254', is: 'a cloud’s metadata service', allow: 'never' },

  { block: '10.0.0.0/8', is: 'a private network', allow: 'private' },
  { block: '172.16.0.0/12', is: 'a private network', allow: 'private' },
  { block: '192.168.0.0/16', is: 'a private network', allow: 'private' },
  { block: '100.64.0.0/10', is: 'a carrier’s private network', allow: 'private' },
  { block: '127.0.0.0/8', is: 'this machine', allow: 'private' },
  { block: '169.254.0.0/16', is: 'link-local', allow: 'private' },
  { block: '198.18.0.0/15', is: 'a test network', allow: 'private' },
  { block: '0.0.0.0/8', is: 'no address of a host', allow: 'never' },
  { block: '192.0.0.0/24', is: 'reserved', allow: 'never' },
  { block: '192.0.2.0/24', is: 'for documentation only', allow: 'never' },
  { block: '198.51.100.0/24', is: 'for documentation only', allow: 'never' },
  { block: '203.0.113.0/24', is: 'for documentation only', allow: 'never' },
  { block: '192.88.99.0/24', is: 'reserved', allow: 'never' },
  { block: '224.0.0.0/4', is: 'multicast', allow: 'never' },
  { block: '240.0.0.0/4', is: 'reserved', allow: 'never' },

  { block: '::1', is: 'this machine', allow: 'private' },
  { block: 'fc00::/7', is: 'a private network', allow: 'private' },
  { block: 'fe80::/10', is: 'link-local', allow: 'private' },
  { block: 'fec0::/10', is: 'a private network', allow: 'private' },
  { block: '64:ff9b:1::/48', is: 'a private network', allow: 'private' },
  { block: 'ff00::/8', is: 'multicast', allow: 'never' },
  { block: '2001::/23', is: 'reserved', allow: 'never' },
  { block: '2001:db8::/32', is: 'for documentation only', allow: 'never' },
  { block: '3fff::/20', is: 'for documentation only', allow: 'never' },
];
const rules = RULES.map(({ block, ...rule }) => ({ block: blockOf(block), ...rule }));
const GLOBAL_UNICAST = blockOf('2000::/3');

/** `false`: public addresses only. `true`: private ones too. Blocks: public ones and these, whatever they are. */
export type AllowPrivate = boolean | Block[];

/** Says why an address may not be connected to, or undefined when it may. */
export function refusalOf(text: string, allowed: AllowPrivate): string | undefined {
  const written = parseAddress(text);
  if (!written) return 'no IP address';
  const address = destinationOf(written);
  if (Array.isArray(allowed) && allowed.some((block) => contains(block, address) || contains(block, written)))
    return undefined;
  const rule = ruleFor(address);
  if (!rule || (allowed === true && rule.allow === 'private')) return undefined;
  return rule.is;
}

function ruleFor(address: Address): { is: string; allow: 'private' | 'never' } | undefined {
  const rule = rules.find(({ block }) => contains(block, address));
  if (rule || address.length === 4 || contains(GLOBAL_UNICAST, address)) return rule;
  return { is: 'not a public address', allow: 'never' };
}

/** Whether a setting could lift the refusal without naming the address itself. */
export function isPrivate(text: string): boolean {
  return refusalOf(text, false) !== undefined && refusalOf(text, true) === undefined;
}
