import type { Finding } from '@wrapup/mapping';
import { UNSET, type YamlDocument } from './document.ts';
import type { WrapupFile } from './schema.ts';

/** Characters; Synthflow generates 256 random bits. */
const SHORT_SECRET = 16;
/** What examples and habits put where a secret belongs. */
const DEFAULT_SECRET =
  /^(?:change[-_ ]?me|secret|password|test|example|dev|sandbox|wrapup|x+|\*+|<.*>|your[-_ ].*)|(?:not[-_ ]a[-_ ]secret|insecure|change[-_ ]?me|example)/i;

/** Rules of the sources that go beyond their shape. */
export function checkSources(file: WrapupFile, document: YamlDocument, live: boolean): Finding[] {
  const findings: Finding[] = [];
  const names = Object.keys(file.sources);
  if (names.length === 0 && document.origin(['sources']).key !== document.origin([]).key) {
    findings.push({
      severity: 'error',
      code: 'no-source',
      message: 'there is no source: no webhook would be accepted',
      hint: 'write sources: { main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"] } }',
      at: document.origin(['sources']).key,
    });
  }
  for (const name of names) {
    const source = file.sources[name] as WrapupFile['sources'][string];
    const at = (key: string) => document.origin(['sources', name, key]).key;
    const add = (severity: Finding['severity'], code: string, key: string, message: string, hint: string) =>
      findings.push({ severity, code, message: `sources.${name}: ${message}`, hint, at: at(key) });

    if (source.trust === 'signature' && source.webhook_secrets.length === 0) {
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
        'warning',
        'trust-none',
        'trust',
        'trust: none writes whatever anybody posts to the CRM',
        'use trust: signature anywhere but on your own machine',
      );
    }
    if (source.trust === 'api' && source.api_key === undefined) {
      add(
        'error',
        'no-api-key',
        'trust',
        'trust: api reads every call again from Synthflow and needs api_key',
        'create one in Synthflow under Settings > API Keys and give it to api_key',
      );
    }
    if (source.trust === 'api' && source.webhook_secrets.length === 0 && source.path_token.length === 0) {
      add(
        'warning',
        'open-door',
        'trust',
        'without a webhook secret or a path token anybody can have calls read from Synthflow, though nothing else',
        'give it webhook_secrets or path_token',
      );
    }
    if (source.reconcile && source.api_key === undefined) {
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
    source.webhook_secrets.forEach((secret, index) => {
      const unsafe = DEFAULT_SECRET.test(secret)
        ? 'is an example'
        : secret.length < SHORT_SECRET
          ? 'is short'
          : undefined;
      // On one's own machine against the sandbox an example secret is what one wants.
      if (!unsafe || !live || secret === UNSET) return;
      findings.push({
        severity: 'warning',
        code: 'weak-secret',
        message: `sources.${name}: webhook secret ${index + 1} ${unsafe}: calls can be forged`,
        hint: 'use the one that Synthflow generated (256 random bits)',
        at: document.origin(['sources', name, 'webhook_secrets', index]).value,
      });
    });
  }
  return findings;
}
