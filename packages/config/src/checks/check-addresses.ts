import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import { ADDRESSES, zoneOf } from './target-host.ts';

/** Addresses to which tokens and calls would go unencrypted, readable on the way by every network between. */
export function checkAddresses(file: WrapupFile, { report, origin }: YamlDocument): void {
  for (const section of ['sources', 'connections'] as const) {
    for (const [name, settings] of Object.entries(file[section])) {
      for (const key of ADDRESSES) {
        const written = (settings as Record<string, unknown>)[key];
        const url = typeof written === 'string' ? URL.parse(written.trim()) : null;
        if (url?.protocol !== 'http:' || zoneOf(url) !== 'internet') continue;
        report.error(
          'plain-http',
          `${section}.${name}.${key}: http://${url.host} is not encrypted: credentials and calls would be read on the way`,
          origin([section, name, key]).value,
          'write https://; http:// is for this machine, private networks and the sandbox',
        );
      }
    }
  }
}
