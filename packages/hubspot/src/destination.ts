import type { Context, Destination, PersonQuestion } from '@wrapup/destination';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { BATCH } from './api.ts';
import { checkMappings } from './check.ts';
import { describeAccount } from './describe.ts';
import { findPersons } from './find.ts';
import { previewPlans } from './preview.ts';
import { probeAccount } from './probe.ts';
import { provisionAccount } from './provision.ts';
import type { HubSpotSettings } from './settings.ts';
import { Transport } from './transport.ts';
import { writePlans } from './write.ts';

/** One HubSpot account. Holds nothing but the client and its sockets. */
class HubSpot implements Destination {
  readonly kind = 'hubspot';
  readonly connection: string;
  readonly batch = BATCH;
  readonly #transport: Transport;
  readonly #settings: HubSpotSettings;

  constructor(connection: string, settings: HubSpotSettings, transport: Transport) {
    this.connection = connection;
    this.#settings = settings;
    this.#transport = transport;
  }

  check(mappings: CompiledMapping[], ctx: Context) {
    return checkMappings(this.#transport, this.#settings, mappings, ctx);
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

  provision(request: { mappings: CompiledMapping[]; plan: boolean }, ctx: Context) {
    return provisionAccount(this.#transport, request, ctx);
  }

  describe(objects: string[], ctx: Context) {
    return describeAccount(this.#transport, objects, ctx);
  }

  probe(ctx: Context) {
    return probeAccount(this.#transport, this.#settings, ctx);
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}

/** Loads the official client and makes a destination; makes no request. */
export async function openHubSpot(connection: string, settings: HubSpotSettings): Promise<Destination> {
  return new HubSpot(connection, settings, await Transport.open(settings));
}
