import type { Destination } from '@wrapup/destination';
import { checkMappings } from './account/check.ts';
import { describeOrg } from './account/describe.ts';
import { packageFor } from './account/metadata.ts';
import { probeAccount } from './account/probe.ts';
import { provisionAccount } from './account/provision.ts';
import { COLLECTION } from './client/api.ts';
import { Transport } from './client/transport.ts';
import { findPersons } from './find.ts';
import { previewPlans } from './preview.ts';
import type { SalesforceSettings } from './settings.ts';
import { writePlans } from './write.ts';

/** Loads jsforce and makes a destination, which holds nothing but the client and its sockets; makes no request. */
export async function openSalesforce(connection: string, settings: SalesforceSettings): Promise<Destination> {
  const transport = await Transport.open(settings);
  return {
    kind: 'salesforce',
    connection,
    batch: COLLECTION,
    check: (mappings, ctx) => checkMappings(transport, mappings, ctx),
    find: (persons, ctx) => findPersons(transport, settings, persons, ctx),
    preview: (plans, ctx) => previewPlans(transport, settings, plans, ctx),
    write: (plans, ctx) => writePlans(transport, settings, plans, ctx),
    provision: (request, ctx) => provisionAccount(transport, request, ctx),
    package: async ({ mappings, stand_in }) => packageFor(mappings, settings.api_version, stand_in),
    describe: (objects, ctx) => describeOrg(transport, objects, ctx),
    probe: (ctx) => probeAccount(transport, settings, ctx),
    close: async () => transport.close(),
  };
}
