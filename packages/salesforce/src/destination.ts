import type { Context, Destination, PersonQuestion, ProvisionRequest } from '@wrapup/destination';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
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

/** One Salesforce org. Holds nothing but the client and its sockets. */
class Salesforce implements Destination {
  readonly kind = 'salesforce';
  readonly connection: string;
  readonly batch = COLLECTION;
  readonly #transport: Transport;
  readonly #settings: SalesforceSettings;

  constructor(connection: string, settings: SalesforceSettings, transport: Transport) {
    this.connection = connection;
    this.#settings = settings;
    this.#transport = transport;
  }

  check(mappings: CompiledMapping[], ctx: Context) {
    return checkMappings(this.#transport, mappings, ctx);
  }

  find(persons: PersonQuestion[], ctx: Context) {
    return findPersons(this.#transport, this.#settings, persons, ctx);
  }

  preview(plans: Plan[], ctx: Context) {
    return previewPlans(this.#transport, this.#settings, plans, ctx);
  }

  write(plans: Plan[], ctx: Context) {
    return writePlans(this.#transport, this.#settings, plans, ctx);
  }

  provision(request: ProvisionRequest, ctx: Context) {
    return provisionAccount(this.#transport, request, ctx);
  }

  async package({ mappings, stand_in }: Pick<ProvisionRequest, 'mappings' | 'stand_in'>) {
    return packageFor(mappings, this.#settings.api_version, stand_in);
  }

  describe(objects: string[], ctx: Context) {
    return describeOrg(this.#transport, objects, ctx);
  }

  probe(ctx: Context) {
    return probeAccount(this.#transport, this.#settings, ctx);
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}

/** Loads jsforce and makes a destination; makes no request. */
export async function openSalesforce(connection: string, settings: SalesforceSettings) {
  return new Salesforce(connection, settings, await Transport.open(settings));
}
