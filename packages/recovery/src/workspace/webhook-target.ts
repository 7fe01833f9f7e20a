/**
 * Where an agent's webhook points, seen from one source. The host under which ingress is reached from outside is not
 * known here, so an address counts as this installation's by its path.
 */
import type { Source } from '@wrapup/config';

/**
 * `here` · `no-token`, `old-token`: here, but ingress answers 404 · `wrong-path`: the other kind of webhook, or an unknown
 * source · `other-source`: another source of this installation · `elsewhere`: another system · `nowhere`
 */
export type WebhookPoints = 'here' | 'no-token' | 'old-token' | 'wrong-path' | 'other-source' | 'elsewhere' | 'nowhere';

export interface WebhookTarget {
  points: WebhookPoints;
  /** The address without anything that may be a secret; absent for `nowhere`. */
  address?: string;
}

export type WebhookKind = 'post-call' | 'inbound-call';

const PATH = /\/webhooks\/([^/]+)(?:\/([^/]+))?\/(post-call|inbound-call)\/?$/;

export function findWebhookTarget(
  url: string | undefined,
  kind: WebhookKind,
  source: Pick<Source, 'name' | 'path_token'>,
  sources: readonly string[],
): WebhookTarget {
  if (url === undefined || url.trim() === '') return { points: 'nowhere' };
  const parsed = URL.parse(url.trim());
  if (!parsed) return { points: 'elsewhere', address: '(no address)' };
  const match = PATH.exec(parsed.pathname);
  if (!match) return { points: 'elsewhere', address: `${parsed.origin}/…` };
  const [name, token, found] = [decode(match[1]), match[2] && decode(match[2]), match[3]];
  const address = `${parsed.origin}${parsed.pathname.slice(0, match.index)}/webhooks/${match[1]}${token ? '/***' : ''}/${found}`;
  const tokens = source.path_token.filter(Boolean);
  if (name !== source.name) return { points: sources.includes(name ?? '') ? 'other-source' : 'wrong-path', address };
  if (found !== kind) return { points: 'wrong-path', address };
  if (tokens.length > 0 && token === undefined) return { points: 'no-token', address };
  if (token !== undefined && !tokens.includes(token)) return { points: 'old-token', address };
  return { points: 'here', address };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}
