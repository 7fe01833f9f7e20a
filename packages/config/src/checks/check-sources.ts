import { UNSET, type YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import { asksSource, guardsDoor, type Reader } from '../model/reader.ts';
import { isShipped, weaknessOfSecret, weaknessOfToken } from './weak-secret.ts';

type Source = WrapupFile['sources'][string];

/** What else decides which mistakes of the sources count. */
export interface SourceSurroundings {
  /** A connection that leads to a real system; undefined where all lead to loopback or the sandbox. */
  live: { name: string; origin: string } | undefined;
  reader?: Reader | undefined;
}

/** Rules of the sources that go beyond their shape. */
export function checkSources(file: WrapupFile, document: YamlDocument, { live, reader }: SourceSurroundings): void {
  const { report, origin } = document;
  const names = Object.keys(file.sources);
  if (names.length === 0 && origin(['sources']).key !== origin([]).key) {
    const hint = 'write sources: { main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"] } }';
    report.error('no-source', 'there is no source: no webhook would be accepted', origin(['sources']).key, hint);
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
        'create one in Synthflow under Settings > API Keys and give it to api_key',
      );
    }
    if (source.reconcile && source.reconcile.look_back <= source.reconcile.grace) {
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
  if (guardsDoor(reader)) checkShared(file, document);
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

/** A webhook that is signed for one source is valid at every other that has the secret, unless that one asks for more. */
function checkShared(file: WrapupFile, { report, origin }: YamlDocument): void {
  const sources = Object.entries(file.sources);
  const asksMore = ({ path_token, trust }: Source) => path_token.length > 0 || trust === 'api';
  sources.forEach(([name, source], position) => {
    for (const [before, other] of sources.slice(0, position)) {
      const index = source.webhook_secrets.findIndex(
        (secret) => secret !== UNSET && other.webhook_secrets.includes(secret),
      );
      if (index < 0 || (asksMore(source) && asksMore(other))) continue;
      const open = [before, name].filter((one) => !asksMore(file.sources[one] as Source));
      report.error(
        'shared-secret',
        `sources.${name}: source ${before} has the same webhook secret, so that a webhook signed for the one is valid at the other`,
        origin(['sources', name, 'webhook_secrets', index]).value,
        `give each its own secret, or ${open.join(' and ')} a path_token (openssl rand -hex 16) or trust: api`,
      );
    }
  });
}
