import type { Finding, Place } from '@wrapup/findings';
import { UNSET, type YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import { asksSource, guardsDoor, type Reader } from '../model/reader.ts';
import { isShipped, weaknessOfSecret, weaknessOfToken } from './weak-secret.ts';

type Source = WrapupFile['sources'][string];

/** What else decides which mistakes of the sources count. */
export interface SourceSurroundings {
  /** The client whose file it is; undefined for wrapup.yaml. */
  client: string | undefined;
  /** There are clients: wrapup.yaml needs no source of its own. */
  /** `none left`: the folder of clients is there, and no file of a client in it. */
  clients: 'some' | 'none left' | 'never any';
  /** A connection that leads to a real system; undefined where all lead to loopback or the sandbox. */
  live: { name: string; origin: string } | undefined;
  reader?: Reader | undefined;
}

/** Rules of the sources that go beyond their shape. */
export function checkSources(
  file: WrapupFile,
  document: YamlDocument,
  { client, clients, live, reader }: SourceSurroundings,
): void {
  const { report, origin } = document;
  const names = Object.keys(file.sources);
  if (names.length === 0 && (client !== undefined || clients !== 'some')) {
    const hint = 'write sources: { main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"] } }';
    // The last client may have been removed, whose calls are still there to be exported.
    const severity = client === undefined && clients === 'none left' ? 'warn' : 'error';
    report[severity]('no-source', 'there is no source: no webhook is accepted', origin(['sources']).key, hint);
  }
  for (const name of names) {
    const source = file.sources[name] as Source;
    const add = (severity: 'error' | 'warn', code: string, key: string, message: string, hint: string) =>
      report[severity](code, `sources.${name}: ${message}`, origin(['sources', name, key]).key, hint);

    if (guardsDoor(reader) && source.trust === 'signature' && source.webhook_secrets.length === 0) {
      add(
        'error',
        'no-secret',
        'webhook_secrets',
        'trust: signature needs at least one webhook secret that is not empty',
        'generate one in Synthflow under Settings > Security > Webhooks and give it to webhook_secrets',
      );
    }
    if (source.trust === 'none') {
      add(
        'warn',
        'trust-none',
        'trust',
        live
          ? `trust: none writes whatever is posted, by anyone who knows the address, to ${live.name} (${live.origin})`
          : 'trust: none writes whatever is posted, by anyone who knows the address',
        'use trust: signature anywhere but on your own machine',
      );
    }
    if (asksSource(reader) && source.trust === 'api' && source.api_key === undefined) {
      add(
        'error',
        'no-api-key',
        'trust',
        'trust: api reads every call again from Synthflow and needs api_key',
        'create one in Synthflow under Settings > API Keys and give it to api_key',
      );
    }
    const isLocked = source.webhook_secrets.length > 0 || source.path_token.length > 0;
    if (guardsDoor(reader) && source.trust === 'api' && !isLocked) {
      add(
        'error',
        'open-door',
        'trust',
        'without a webhook secret or a path token, anyone who knows the address has calls read from Synthflow, at the cost of your API key',
        'give it webhook_secrets, whose signature is then demanded, or a path_token: openssl rand -hex 16 makes one',
      );
    }
    if (asksSource(reader) && source.reconcile && source.api_key === undefined) {
      add(
        'error',
        'no-api-key',
        'reconcile',
        'reconcile lists calls at Synthflow and needs api_key',
        'create one in Synthflow under Settings > API Keys and give it to api_key, or say reconcile: false',
      );
    }
    if (typeof source.reconcile === 'object' && source.reconcile.look_back <= source.reconcile.grace) {
      add(
        'error',
        'bad-value',
        'reconcile',
        'reconcile.look_back must be longer than reconcile.grace, or no call is ever found missing',
        'make look_back hours, grace minutes',
      );
    }
    checkStrength(name, source, document, live);
  }
}

/** Secrets that are known or can be guessed. On a developer's machine, against the sandbox, they are allowed. */
function checkStrength(
  name: string,
  source: Source,
  { report, origin }: YamlDocument,
  live: SourceSurroundings['live'],
): void {
  const add = (severity: 'error' | 'warn', key: string, index: number, about: string, hint: string) => {
    const { value: at, variables } = origin(['sources', name, key, index]);
    const into = variables.length > 0 ? ` and put it into ${variables[0]}` : '';
    report[severity](WEAK[key] as string, `sources.${name}: ${about}`, at, `${hint}${into}`);
  };
  source.webhook_secrets.forEach((secret, index) => {
    if (secret === UNSET) return;
    const which = `webhook secret ${index + 1}`;
    const weakness = weaknessOfSecret(secret);
    const hint =
      'take the secret that Synthflow generates (Settings > Security > Webhooks), or run: openssl rand -hex 32';
    if (weakness && live) {
      add('error', 'webhook_secrets', index, `${which} ${weakness}: anyone can forge calls to ${write(live)}`, hint);
    } else if (isShipped(secret)) {
      const about = `${which} came with an earlier version, so that everyone knows it; it serves the sandbox only`;
      add(
        'warn',
        'webhook_secrets',
        index,
        about,
        'remove it and let `npm start` or docker compose make one, or run: openssl rand -hex 32',
      );
    }
  });
  source.path_token.forEach((token, index) => {
    const weakness = token === UNSET || !live ? undefined : weaknessOfToken(token);
    if (!weakness || !live) return;
    const about = `path token ${index + 1} ${weakness}: it can be guessed, beside ${write(live)}`;
    add('error', 'path_token', index, about, 'run: openssl rand -hex 16');
  });
}

/** Codes by the key that holds the secret. */
const WEAK: Record<string, string> = { webhook_secrets: 'weak-secret', path_token: 'weak-path-token' };

function write({ name, origin }: { name: string; origin: string }): string {
  return `connection ${name} (${origin})`;
}

/** What a source holds that no other source of the installation may hold as well. */
export interface SourceClaim {
  client: string | undefined;
  /** As findings call it: the name in its own file. */
  name: string;
  at: Place;
  secrets: { value: string; at: Place }[];
  /** A path token, or every call read from Synthflow: a signature alone does not open it. */
  asksMore: boolean;
  key_prefix?: { value: string; at: Place };
}

export function claimsOf(
  file: WrapupFile,
  { origin }: YamlDocument,
  client: string | undefined,
  reader: Reader | undefined,
): SourceClaim[] {
  return Object.entries(file.sources).map(([name, source]) => ({
    client,
    name,
    at: origin(['sources', name]).key,
    secrets: guardsDoor(reader)
      ? source.webhook_secrets.flatMap((value, index) =>
          value === UNSET ? [] : [{ value, at: origin(['sources', name, 'webhook_secrets', index]).value }],
        )
      : [],
    asksMore: source.path_token.length > 0 || source.trust === 'api',
    ...(source.key_prefix !== undefined && {
      key_prefix: { value: source.key_prefix, at: origin(['sources', name, 'key_prefix']).value },
    }),
  }));
}

/** An error of one source beside another. */
export interface ClashFinding {
  /** Whose file has to change. */
  client: string | undefined;
  finding: Finding;
}

/**
 * Checks sources against each other, those of all files. A webhook that is signed for one source is valid at every other
 * that has the secret, unless that one asks for more; and no two may write the same keys.
 *
 * Of two files the one that came later has to change. Where neither is known to be older, it is the client whose source is open, or
 * both; between a client and wrapup.yaml it is the client then, so that a mistake in its file stops nothing else.
 * @param isEstablished whether the file of a client, or wrapup.yaml for undefined, is in force as it is
 */
export function checkClashes(
  claims: readonly SourceClaim[],
  isEstablished: (client: string | undefined) => boolean,
): ClashFinding[] {
  const found: ClashFinding[] = [];
  const bySecret = new Map<string, SourceClaim[]>();
  const byPrefix = new Map<string, SourceClaim[]>();
  const blame = (before: SourceClaim, claim: SourceClaim, open: SourceClaim[]): SourceClaim[] => {
    if (before.client === claim.client) return [claim];
    const later = [before, claim].filter(({ client }) => !isEstablished(client));
    if (later.length === 1) return later;
    const clients = [before, claim].filter(({ client }) => client !== undefined);
    return clients.length === 1 ? clients : open;
  };
  for (const claim of claims) {
    for (const { value } of new Map(claim.secrets.map((secret) => [secret.value, secret])).values()) {
      for (const other of bySecret.get(value) ?? []) {
        const open = [other, claim].filter(({ asksMore }) => !asksMore);
        if (open.length === 0) continue;
        for (const one of blame(other, claim, open))
          found.push({ client: one.client, finding: sharedSecret(value, one, one === claim ? other : claim) });
      }
      bySecret.set(value, [...(bySecret.get(value) ?? []), claim]);
    }
    const prefix = claim.key_prefix?.value ?? (claim.client === undefined ? claim.name : undefined);
    if (prefix === undefined) continue;
    for (const other of byPrefix.get(prefix) ?? []) {
      for (const one of blame(other, claim, [other, claim]))
        found.push({ client: one.client, finding: sharedPrefix(prefix, one, one === claim ? other : claim) });
    }
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), claim]);
  }
  return found;
}

/** How a source is called in a hint for the file of another. */
function seenFrom(claim: SourceClaim, other: SourceClaim): string {
  if (claim.client === other.client) return claim.name;
  return claim.client === undefined ? `${claim.name} of wrapup.yaml` : `${claim.client}.${claim.name}`;
}

/** The same in a message, which goes to the client itself: it names no other client. */
function describeFrom(claim: SourceClaim, other: SourceClaim): string {
  return claim.client === other.client ? `source ${claim.name}` : 'a source outside of this file';
}

/** The begin of a hint, which says what the message leaves out. */
function identify(claim: SourceClaim, other: SourceClaim): string {
  return claim.client === other.client ? '' : `it is ${seenFrom(claim, other)}: `;
}

function sharedSecret(secret: string, one: SourceClaim, other: SourceClaim): Finding {
  return {
    severity: 'error',
    code: 'shared-secret',
    message: `sources.${one.name}: ${describeFrom(other, one)} has the same webhook secret, so that a webhook signed for the one is valid at the other`,
    hint: `${identify(other, one)}give each its own secret, or ${[other, one]
      .filter(({ asksMore }) => !asksMore)
      .map((open) => seenFrom(open, one))
      .join(' and ')} a path_token (openssl rand -hex 16) or trust: api`,
    at: placeOf(one.secrets, secret),
  };
}

function sharedPrefix(prefix: string, one: SourceClaim, other: SourceClaim): Finding {
  return {
    severity: 'error',
    code: 'duplicate-name',
    message: `sources.${one.name}${one.key_prefix ? '.key_prefix' : ''}: the keys of ${describeFrom(other, one)} begin with ${prefix} too`,
    hint: `${identify(other, one)}keep the one that wrote the old records, and remove the other`,
    at: one.key_prefix?.at ?? one.at,
  };
}

function placeOf(secrets: SourceClaim['secrets'], value: string): Place {
  return (secrets.find((secret) => secret.value === value) as { at: Place }).at;
}
