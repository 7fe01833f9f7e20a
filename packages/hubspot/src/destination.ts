import type { Context, Destination } from '@wrapup/destination';
import { findPersons, previewPlans, writePlans } from '@wrapup/destination/engine';
import { checkMappings } from './account/check.ts';
import { describeAccount } from './account/describe.ts';
import { probeAccount } from './account/probe.ts';
import { provisionAccount } from './account/provision.ts';
import { openAdapter } from './adapter.ts';
import { MAX_BATCH } from './client/api.ts';
import { HubSpotTransport } from './client/transport.ts';
import { HubSpotSession } from './session.ts';
import type { HubSpotSettings } from './settings.ts';

/** Loads the official client and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openHubSpot(connection: string, settings: HubSpotSettings): Promise<Destination> {
  const transport = await HubSpotTransport.open(settings);
  const open = (ctx: Context, forReader: boolean) =>
    openAdapter(new HubSpotSession(transport, ctx), settings, ctx, forReader);
  return {
    kind: 'hubspot',
    connection,
    batch: MAX_BATCH,
    check: (mappings, ctx) => checkMappings(transport, settings, mappings, ctx),
    find: async (persons, ctx) => {
      const forReader = persons.some(({ identify }) => identify);
      return findPersons((await open(ctx, forReader)).people, persons);
    },
    preview: (plans, ctx) => previewPlans(plans, () => open(ctx, true)),
    write: (plans, ctx) => {
      const session = new HubSpotSession(transport, ctx);
      return writePlans(session, plans, () => openAdapter(session, settings, ctx, false));
    },
    provision: (request, ctx) => provisionAccount(transport, request, ctx),
    describe: (objects, ctx) => describeAccount(transport, objects, ctx),
    probe: (ctx) => probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}
