/** Where connections lead: onto the internet, or to a sandbox on this machine or in this network. */

/** What is there when no setting says so. */
const VENDORS: Record<string, string> = { hubspot: 'https://api.hubapi.com' };
/** Settings that say where, the one that goes before others first. */
const ADDRESSES = ['base_url', 'login_url', 'url'];
/** Names without a dot are neighbours' in a container network; `.localhost`, `.internal` and `.test` are nobody's (RFC 6761, ICANN). */
const NEAR =
  /^127\.|^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^\[(?:::1|f[cd][0-9a-f]{2}:.*)\]$|\.(?:localhost|local|internal|test)$/;

export interface Reach {
  /** Scheme, host and port. */
  origin: string;
  internet: boolean;
}

/** @param settings as wrapup.yaml has them, or as a kind's schema accepted them */
export function reachOf(kind: string, settings: unknown): Reach {
  const given = settings as Record<string, unknown>;
  const address = ADDRESSES.map((name) => given[name]).find((value) => typeof value === 'string' && value !== '');
  const url = URL.parse(String(address ?? VENDORS[kind] ?? ''));
  if (!url) return { origin: kind, internet: true };
  return { origin: url.origin, internet: /[.:]/.test(url.hostname) && !NEAR.test(url.hostname) };
}
