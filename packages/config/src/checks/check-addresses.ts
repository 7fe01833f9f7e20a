import type { Finding } from '@wrapup/findings';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import { ADDRESSES, zoneOf } from './target-host.ts';

/** Addresses to which tokens and calls would go unencrypted, readable on the way by every network between. */
export function checkAddresses(file: WrapupFile, document: YamlDocument): Finding[] {
  const findings: Finding[] = [];
  for (const section of ['sources', 'connections'] as const) {
    for (const [name, settings] of Object.entries(file[section])) {
      for (const key of ADDRESSES) {
        const written = (settings as Record<string, unknown>)[key];
        const url = typeof written === 'string' ? URL.parse(written.trim()) : null;
        if (url?.protocol !== 'http:' || zoneOf(url) !== 'internet') continue;
        findings.push({
          severity: 'error',
          code: 'plain-http',
          message: `${section}.${name}.${key}: http://${url.host} is not encrypted: credentials and calls would be read on the way`,
          hint: `write https://; http:// is for this machine, private networks and the sandbox`,
          at: document.origin([section, name, key]).value,
        });
      }
    }
  }
  return findings;
}
