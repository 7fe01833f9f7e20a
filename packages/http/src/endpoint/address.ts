/**
 * IP addresses as bytes, so that every way to write one is the same address.
 *
 * IPv6 addresses that carry an IPv4 one (mapped, translated, 6to4, NAT64) are where an IPv4 packet ends up: they are
 * read as that IPv4 address, or a private network could be reached under a public name.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes. */
export type Address = Uint8Array;

/** An address block: `10.0.0.0/8`, `fc00::/7`. */
export interface Block {
  base: Address;
  bits: number;
}

/** Reads an address as the system writes it, with or without a zone; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  const plain = text.replace(/%.*$/s, '');
  return isIPv6(plain) ? parseV6(plain) : undefined;
}

function parseV6(text: string): Address {
  // The last four bytes may be written as an IPv4 address.
  const dotted = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0];
  const [a = 0, b = 0, c = 0, d = 0] = dotted?.split('.').map(Number) ?? [];
  const words = dotted
    ? `${text.slice(0, -dotted.length)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
    : text;
  const [head = '', tail] = words.split('::');
  const left = split(head);
  const right = tail === undefined ? [] : split(tail);
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

const split = (words: string) => (words === '' ? [] : words.split(':').map((word) => Number.parseInt(word, 16)));

/** `10.0.0.0/8`, or a single address; undefined when it is neither. */
export function parseBlock(text: string): Block | undefined {
  const [address = '', length, ...rest] = text.trim().split('/');
  const base = parseAddress(address);
  if (!base || rest.length > 0 || address.includes('%')) return undefined;
  const most = base.length * 8;
  if (length === undefined) return { base, bits: most };
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return bits <= most ? { base, bits } : undefined;
}

export function contains({ base, bits }: Block, address: Address): boolean {
  if (base.length !== address.length) return false;
  return base.every((byte, index) => {
    const rest = bits - index * 8;
    const mask = rest >= 8 ? 0xff : rest <= 0 ? 0 : (0xff << (8 - rest)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}

/** Where in an IPv6 address the IPv4 address stands that it is translated to. */
const CARRIERS: [block: string, offset: number][] = [
  ['::ffff:0:0/96', 12], // IPv4-mapped, RFC 4291
  ['::ffff:0:0:0/96', 12], // translated, RFC 2765
  ['64:ff9b::/96', 12], // NAT64, RFC 6052
  ['2002::/16', 2], // 6to4, RFC 3056
];
const carriers = CARRIERS.map(([block, offset]) => ({ block: blockOf(block), offset }));

/** The address that packets to this one end up at, as far as the address itself says. */
export function destinationOf(address: Address): Address {
  const carrier = carriers.find(({ block }) => contains(block, address));
  return carrier ? address.slice(carrier.offset, carrier.offset + 4) : address;
}

/** A block that is written in this program. @throws when it is mistyped */
export function blockOf(text: string): Block {
  const block = parseBlock(text);
  if (!block) throw new Error(`"${text}" is no address block`);
  return block;
}
