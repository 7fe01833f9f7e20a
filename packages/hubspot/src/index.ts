/** HubSpot as a destination. Importing this does not load HubSpot's client: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { hubspotDialect } from './dialect.ts';
import { type HubSpotSettings, hubspotSettings } from './settings.ts';

export const hubspotKind: DestinationKind<HubSpotSettings> = {
  kind: 'hubspot',
  dialect: hubspotDialect,
  settings: hubspotSettings,
  secrets: ['access_token', 'client_secret', 'refresh_token'],
  related: ['deals', 'companies'],
  // Searches carry no headers that would tell: five a second for the account, of which one is left to its other apps.
  // The default pool follows HubSpot's headers, which come with every other answer.
  // https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
  pools: { search: { limit: 4, window: 1_000 } },
  async remembers(subject) {
    const { memoriesOf } = await import('./memories.ts');
    return memoriesOf(subject);
  },
  async connect(connection, settings) {
    const { openHubSpot } = await import('./destination.ts');
    return openHubSpot(connection, settings);
  },
};

export { hubspotDialect } from './dialect.ts';
export { type HubSpotSettings, hubspotSettings } from './settings.ts';
