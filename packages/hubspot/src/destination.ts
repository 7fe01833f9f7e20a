import type { Destination } from '@wrapup/destination';
import { checkMappings } from './account/check.ts';
import { describeAccount } from './account/describe.ts';
import { probeAccount } from './account/probe.ts';
import { provisionAccount } from './account/provision.ts';
import { BATCH } from './client/api.ts';
import { Transport } from './client/transport.ts';
import { findPersons } from './find.ts';
import { previewPlans } from './preview.ts';
import type { HubSpotSettings } from './settings.ts';
import { writePlans } from './write.ts';

/** Loads the official client and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openHubSpot(connection: string, settings: HubSpotSettings): Promise<Destination> {
  const transport = await Transport.open(settings);
  return {
    kind: 'hubspot',
    connection,
    batch: BATCH,
    check: (mappings, ctx) => checkMappings(transport, settings, mappings, ctx),
    find: (persons, ctx) => findPersons(transport, settings, persons, ctx),
    preview: (plans, ctx) => previewPlans(transport, settings, plans, ctx),
    write: (plans, ctx) => writePlans(transport, settings, plans, ctx),
    provision: (request, ctx) => provisionAccount(transport, request, ctx),
    describe: (objects, ctx) => describeAccount(transport, objects, ctx),
    probe: (ctx) => probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}
