/** HubSpot as a destination. Importing this does not load HubSpot's client: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { hubspotDialect } from './dialect.ts';
import { type HubSpotSettings, hubspotSettings } from './settings.ts';

export const hubspotKind: DestinationKind<HubSpotSettings> = {
  kind: 'hubspot',
  dialect: hubspotDialect,
  settings: hubspotSettings,
  secrets: ['access_token'],
  async connect(connection, settings) {
    const { openHubSpot } = await import('./destination.ts');
    return openHubSpot(connection, settings);
  },
};

export { hubspotDialect } from './dialect.ts';
export { type HubSpotSettings, hubspotSettings } from './settings.ts';
