import { own } from '@wrapup/call';
import type { Config, Source } from '@wrapup/config';
import { digestOfSecret, isSecret } from '@wrapup/telemetry';

/** Digests of the path tokens of a source. */
const digests = new WeakMap<Source, Buffer[]>();

/**
 * Returns the source that a path names if the token is right: one of the source's tokens where it has some, none where it
 * has none. Compares in constant time.
 */
export function findSource(config: Config, name: string, token: string | undefined): Source | undefined {
  const source = own(config.sources, name);
  if (!source) return undefined;
  const expected = digestsOf(source);
  if (expected.length === 0) return token === undefined ? source : undefined;
  let right = false;
  for (const digest of expected) right = isSecret(token ?? '', digest) || right;
  return right ? source : undefined;
}

function digestsOf(source: Source): Buffer[] {
  let known = digests.get(source);
  if (!known) {
    known = source.path_token.filter(Boolean).map(digestOfSecret);
    digests.set(source, known);
  }
  return known;
}
