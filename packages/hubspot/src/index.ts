/** HubSpot as a destination. Importing this does not load HubSpot's client: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { HUBSPOT_ADDRESS, type HubSpotSettings, hubspotSettings } from './client/settings.ts';
import { hubspotDialect } from './dialect.ts';

export const hubspotKind: DestinationKind<HubSpotSettings> = {
  kind: 'hubspot',
  dialect: hubspotDialect,
  settings: hubspotSettings,
  address: HUBSPOT_ADDRESS,
  secrets: ['access_token', 'client_secret', 'refresh_token'],
  related: ['deals', 'companies'],
  open: ['open_deal', 'open_ticket'],
  // Searches carry no headers that would tell: five a second for the account, of which one is left to its other apps.
  // The default pool follows HubSpot's headers, which come with every other answer.
  // https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
  pools: { search: { limit: 4, window: 1_000 } },
  async remembers(subject) {
    const { memoriesOf } = await import('./keys/id-map.ts');
    return memoriesOf(subject);
  },
  async provisions(mappings) {
    const { requirementsOf } = await import('./account/provision.ts');
    return requirementsOf(mappings).map(({ object, definition }) => `${object}.${definition.name}`);
  },
  async connect(connection, settings) {
    const { openHubSpot } = await import('./destination.ts');
    return openHubSpot(connection, settings);
  },
};

export { type HubSpotSettings, hubspotSettings } from './client/settings.ts';
export { hubspotDialect } from './dialect.ts';
