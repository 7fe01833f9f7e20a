/** The requests of one call of the destination, and whose org they go to. */
import type { Context } from '@wrapup/destination';
import { type Answer, Session as SharedSession } from '@wrapup/destination/http';
import type { SalesforceApiCall } from './client/api.ts';
import type { SalesforceTransport } from './client/transport.ts';
import type { SalesforceSettings } from './settings.ts';

export class SalesforceSession extends SharedSession<SalesforceApiCall, Answer> {
  readonly api_version: string;

  constructor(transport: SalesforceTransport, ctx: Context) {
    super(transport, ctx);
    this.api_version = transport.api_version;
  }
}

/** Where people open the org's records. Undefined while no token can be had, and where a sandbox or proxy stands in. */
export async function orgUrl(
  transport: SalesforceTransport,
  { base_url }: Pick<SalesforceSettings, 'base_url'>,
  ctx: Context,
): Promise<string | undefined> {
  if (base_url !== undefined) return undefined;
  try {
    return (await transport.whose(ctx)).instance_url;
  } catch {
    // Links are left out; the first request says what is wrong.
    return undefined;
  }
}
