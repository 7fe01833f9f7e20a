import { clientOf, own } from '@wrapup/call';
import type { Config, Source } from '@wrapup/config';
import { digestOfSecret, isSecret } from '@wrapup/telemetry';

/** Digests of the path tokens of a source. */
const digests = new WeakMap<Source, Buffer[]>();

/**
 * Returns the source that a path names if the token is right: one of the source's tokens where it has some, none where it
 * has none. Compares in constant time.
 */
export function findSource(config: Config, name: string, token: string | undefined): Source | undefined {
  const source = own(config.sources, name) ?? own(formerNames(config), name);
  if (!source) return undefined;
  const expected = digestsOf(source);
  if (expected.length === 0) return token === undefined ? source : undefined;
  let right = false;
  for (const digest of expected) right = isSecret(token ?? '', digest) || right;
  return right ? source : undefined;
}

/**
 * Whether a path may name a client of which no source is known because its file has errors: its webhooks are answered so
 * that they come again. While there is one, names of clients that there are not get the same answer, so that it does not
 * show which there are.
 */
export function mayBeUnusable({ clients }: Config, name: string): boolean {
  const client = clientOf(name);
  if (client === undefined) return false;
  const known = own(clients, client);
  return known ? known.state === 'unusable' : Object.values(clients).some(({ state }) => state === 'unusable');
}

const former = new WeakMap<Config, Record<string, Source>>();

/** Sources by the names that they had in wrapup.yaml, at whose addresses they still answer. */
function formerNames(config: Config): Record<string, Source> {
  let known = former.get(config);
  if (!known) {
    const moved = Object.values(config.sources).flatMap((source) =>
      source.key_prefix === undefined ? [] : [[source.key_prefix, source] as const],
    );
    known = Object.fromEntries(moved);
    former.set(config, known);
  }
  return known;
}

function digestsOf(source: Source): Buffer[] {
  let known = digests.get(source);
  if (!known) {
    known = source.path_token.filter(Boolean).map(digestOfSecret);
    digests.set(source, known);
  }
  return known;
}
