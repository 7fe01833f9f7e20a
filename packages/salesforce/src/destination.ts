import type { Destination } from '@wrapup/destination';
import { COLLECTION } from './api.ts';
import { checkMappings } from './check.ts';
import { describeOrg } from './describe.ts';
import { findPersons } from './find.ts';
import { packageFor } from './metadata.ts';
import { previewPlans } from './preview.ts';
import { probeAccount } from './probe.ts';
import { provisionAccount } from './provision.ts';
import type { SalesforceSettings } from './settings.ts';
import { Transport } from './transport.ts';
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
