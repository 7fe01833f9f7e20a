/** Where a webhook goes, and what it is signed with. */

import { fullName } from '@wrapup/call';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { Output } from '../terminal/output.ts';
import { nameInFull } from './client-option.ts';
import { type GlobalOptions, requireConfig } from './settings.ts';
import { chooseSource } from './sources.ts';

export interface WebhookOptions extends GlobalOptions {
  source?: string;
  secret?: string;
  token?: string;
}

/** Secret and path token of the source that a webhook is for. A secret that is given needs no wrapup.yaml. */
export async function credentials(
  options: WebhookOptions,
  output: Output,
): Promise<{ source: string; secret: string | undefined; token: string | undefined }> {
  const named = options.source && nameInFull('source', options.source, options.client);
  const usual = fullName(options.client, 'main');
  if (options.secret !== undefined) return { source: named ?? usual, secret: options.secret, token: options.token };
  const config = await requireConfig(options, output);
  const source = chooseSource(config, named, usual);
  return { source: source.name, secret: source.webhook_secrets[0], token: options.token ?? source.path_token[0] };
}

/** Where a webhook of a source is. */
export function addressOf(
  base: string,
  source: string,
  token: string | undefined,
  kind: 'post-call' | 'inbound-call' = 'post-call',
): string {
  const url = URL.parse(base);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new CliError(EXIT.usage, `--url must be http:// or https://, not "${base}"`);
  const path = ['webhooks', source, ...(token === undefined ? [] : [token]), kind].map(encodeURIComponent);
  return `${base.replace(/\/+$/, '')}/${path.join('/')}`;
}
