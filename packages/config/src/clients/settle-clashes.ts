/**
 * Which file is in force where two claim what only one may have: a webhook secret, or what keys in CRMs begin with. Every
 * process must settle it alike, also one that has just started and has seen neither file before. So ingress, which alone
 * reads all that is claimed, says in Redis what it has settled, and the others and its own next start go by that.
 */
import { dirname } from 'node:path';
import type { Finding } from '@wrapup/findings';
import { checkClashes } from '../checks/check-sources.ts';
import { type ConfigFile, errorsOf } from '../config-file.ts';

/** What a process has in force. */
export interface InForce {
  root: ConfigFile;
  /** By client. */
  inForce: ReadonlyMap<string, ConfigFile>;
}

/**
 * Whether ingress has a file in force as it is.
 * @param name of the client; nothing for wrapup.yaml
 * @param claims as `claimsText` has them; undefined where this process does not read all of them: the file alone is compared
 */
export type Settled = (name: string, hash: string, claims?: string) => boolean;

/** What a client would have in force. */
interface Candidate {
  file: ConfigFile | undefined;
  /** It is in force, or was when the client last had no error. */
  isEstablished: boolean;
  /** Errors have taken what its file says out already. */
  isFallback: boolean;
}

interface ClashParts {
  root: ConfigFile;
  /** By client. */
  read: ReadonlyMap<string, ConfigFile>;
  known: InForce | undefined;
  /** The last good file of a client. */
  restore(client: string): Promise<ConfigFile | undefined>;
  /** Asked where files clash, about those of which this process has nothing in force. */
  settled(): Promise<Settled | undefined>;
  /** This process reads all that files claim. */
  seesClaims: boolean;
}

/** What the sources of a file claim, as one text, to be compared and never shown: it holds secrets. */
export function claimsText({ claims }: Pick<ConfigFile, 'claims'>): string {
  return JSON.stringify(
    claims.map(({ name, secrets, asksMore, key_prefix }) => [
      name,
      secrets.map(({ value }) => value).sort(),
      asksMore,
      key_prefix?.value,
    ]),
  );
}

/**
 * Finds what each client has in force. What would be in force is compared, not what a file with errors says; and a client
 * that loses may fall back on what clashes with a newcomer in turn, so that it is done until nothing clashes.
 */
export async function settleClashes({
  root,
  read,
  known,
  restore,
  settled,
  seesClaims,
}: ClashParts): Promise<{ candidates: Map<string, Candidate>; clashes: Map<string | undefined, Finding[]> }> {
  const candidates = new Map<string, Candidate>();
  const clashes = new Map<string | undefined, Finding[]>();
  let inIngress: Settled | undefined;
  /** Undefined where ingress never said anything. */
  const isSettled = (client: string, file: ConfigFile) =>
    inIngress?.(client, file.hash, seesClaims ? claimsText(file) : undefined);
  const fallBack = async (client: string): Promise<Candidate> => {
    const before = known?.inForce.get(client);
    if (before) return { file: before, isEstablished: true, isFallback: true };
    const file = await restore(client);
    // A secret may have changed since, although the text has not.
    return { file, isEstablished: (file && isSettled(client, file)) ?? true, isFallback: true };
  };
  for (const [client, file] of read) {
    const isEstablished = file === known?.inForce.get(client);
    const isSound = errorsOf(file.findings).length === 0;
    candidates.set(client, isSound ? { file, isEstablished, isFallback: false } : await fallBack(client));
  }
  const folder = dirname(root.file);
  let isRootEstablished = known?.root.files.hash(folder) === root.files.hash(folder);
  const isEstablished = (client: string | undefined) =>
    client === undefined ? isRootEstablished : candidates.get(client)?.isEstablished === true;
  const findClashes = () => {
    const claims = [root, ...[...candidates.values()].map(({ file }) => file)].flatMap((file) => file?.claims ?? []);
    return Map.groupBy(checkClashes(claims, isEstablished), ({ client }) => client);
  };
  if (findClashes().size > 0) {
    inIngress = await settled();
    if (inIngress && !known) isRootEstablished = isSettled('', root) === true;
    for (const [client, { file, ...candidate }] of candidates) {
      if (!inIngress || !file || known?.inForce.has(client)) continue;
      candidates.set(client, { ...candidate, file, isEstablished: isSettled(client, file) === true });
    }
  }
  for (;;) {
    const found = findClashes();
    if (found.size === 0) return { candidates, clashes };
    for (const [client, of] of found) {
      const before = client === undefined ? undefined : candidates.get(client);
      const next = client !== undefined && before && !before.isFallback ? await fallBack(client) : undefined;
      const wasSame =
        inIngress || known?.inForce.has(client ?? '')
          ? before?.isEstablished
          : next?.file && next.file.hash === before?.file?.hash;
      // What it says now is what it said all along: whether the other one is new is seen in the next round.
      if (client !== undefined && next && wasSame) candidates.set(client, { ...next, file: before?.file });
      else {
        clashes.set(client, [...(clashes.get(client) ?? []), ...of.map(({ finding }) => finding)]);
        if (client !== undefined)
          candidates.set(client, next ?? { file: undefined, isEstablished: false, isFallback: true });
      }
    }
    // wrapup.yaml is taken whole or not at all.
    if (found.has(undefined)) return { candidates, clashes };
  }
}
