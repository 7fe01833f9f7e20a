import type { Context, Destination } from '@wrapup/destination';
import { findPersons, type PlanWrite, previewPlans, writePlans } from '@wrapup/destination/engine';
import { checkMappings } from './account/check.ts';
import { describeOrg } from './account/describe.ts';
import { packageFor } from './account/metadata.ts';
import { probeAccount } from './account/probe.ts';
import { provisionAccount } from './account/provision.ts';
import { openAdapter } from './adapter.ts';
import { MAX_ROWS } from './client/api.ts';
import { SalesforceTransport } from './client/transport.ts';
import { SalesforceSession } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/** Loads jsforce and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openSalesforce(connection: string, settings: SalesforceSettings): Promise<Destination> {
  const transport = await SalesforceTransport.open(settings);
  const open = (session: SalesforceSession, ctx: Context, writes: PlanWrite[]) =>
    openAdapter(transport, session, settings, ctx, writes);
  return {
    kind: 'salesforce',
    connection,
    batch: MAX_ROWS,
    check: (mappings, ctx) => checkMappings(transport, mappings, ctx),
    find: async (persons, ctx) =>
      findPersons((await open(new SalesforceSession(transport, ctx), ctx, [])).people, persons),
    preview: (plans, ctx) => previewPlans(plans, (writes) => open(new SalesforceSession(transport, ctx), ctx, writes)),
    write: (plans, ctx) => {
      const session = new SalesforceSession(transport, ctx);
      return writePlans(session, plans, (writes) => open(session, ctx, writes));
    },
    provision: (request, ctx) => provisionAccount(transport, request, ctx),
    package: async ({ mappings, stand_in }) => packageFor(mappings, settings.api_version, stand_in),
    describe: (objects, ctx) => describeOrg(transport, objects, ctx),
    probe: (ctx) => probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}
