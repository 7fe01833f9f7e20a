/** Salesforce as a destination. Importing this does not load jsforce: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { type SalesforceSettings, salesforceSettings } from './client/settings.ts';
import { salesforceDialect } from './dialect.ts';

export const salesforceKind: DestinationKind<SalesforceSettings> = {
  kind: 'salesforce',
  dialect: salesforceDialect,
  settings: salesforceSettings,
  secrets: ['client_secret', 'refresh_token', 'jwt'],
  related: ['opportunities', 'cases'],
  open: ['open_opportunity', 'open_case'],
  async remembers(subject) {
    const { personMemories, writtenMemories } = await import('@wrapup/destination/engine');
    return [...personMemories(subject), ...writtenMemories(subject)];
  },
  async provisions(mappings) {
    const { requirementsOf } = await import('./account/metadata.ts');
    return requirementsOf(mappings).map(({ object, name }) => `${object}.${name}`);
  },
  async connect(connection, settings) {
    const { openSalesforce } = await import('./destination.ts');
    return openSalesforce(connection, settings);
  },
};

export type { SalesforceSettings } from './client/settings.ts';
export { salesforceDialect } from './dialect.ts';
