import type { Context, Destination, Notice, PersonAnswer, PersonQuestion } from '@wrapup/destination';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { checkEndpoint } from './check.ts';
import { Exchange } from './exchange.ts';
import { type Resolve, resolveBySystem } from './guarded-agent.ts';
import { previewPlans } from './preview.ts';
import { probeEndpoint } from './probe.ts';
import { sendNotice } from './send-event.ts';
import type { HttpSettings } from './settings.ts';
import { writePlans } from './write.ts';

/** One HTTP endpoint. Holds nothing but the client and its sockets. */
class HttpEndpoint implements Destination {
  readonly kind = 'http';
  readonly connection: string;
  readonly batch: number;
  readonly #settings: HttpSettings;
  readonly #exchange: Exchange;
  readonly #resolve: Resolve;

  constructor(connection: string, settings: HttpSettings, exchange: Exchange, resolve: Resolve) {
    this.connection = connection;
    this.batch = settings.at_once;
    this.#settings = settings;
    this.#exchange = exchange;
    this.#resolve = resolve;
  }

  async check(mappings: CompiledMapping[]) {
    return checkEndpoint(this.connection, this.#settings, mappings);
  }

  /** An endpoint knows nobody. */
  async find(persons: PersonQuestion[]): Promise<PersonAnswer[]> {
    return persons.map(() => ({ found: 'none' }));
  }

  preview(plans: Plan[], ctx: Context) {
    return previewPlans(this.#settings, plans, ctx);
  }

  write(plans: Plan[], ctx: Context) {
    return writePlans(this.#exchange, this.#settings, plans, ctx);
  }

  /** An endpoint needs no fields made. */
  async provision() {
    return [];
  }

  probe(ctx: Context) {
    return probeEndpoint(this.#settings, this.#resolve, ctx);
  }

  notify(notice: Notice, ctx: Context) {
    return sendNotice(this.#exchange, this.#settings, notice, ctx);
  }

  async close(): Promise<void> {
    this.#exchange.close();
  }
}

/**
 * Loads axios and makes a destination; makes no request.
 * @param resolve how names become addresses; by default as the system does it
 */
export async function openHttp(
  connection: string,
  settings: HttpSettings,
  resolve: Resolve = resolveBySystem,
): Promise<Destination> {
  return new HttpEndpoint(connection, settings, await Exchange.open(settings, resolve), resolve);
}
