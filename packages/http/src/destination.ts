import type { Destination } from '@wrapup/destination';
import { checkEndpoint } from './check.ts';
import { EndpointExchange } from './client/exchange.ts';
import { type Resolve, resolveBySystem } from './client/guarded-agent.ts';
import type { HttpSettings } from './endpoint/settings.ts';
import { previewPlans } from './preview.ts';
import { probeEndpoint } from './probe.ts';
import { sendNotice } from './send-event.ts';
import { writePlans } from './write.ts';

/**
 * Loads axios and makes a destination, which holds nothing but the client and its sockets; makes no request.
 * @param resolve how names become addresses; by default as the system does it
 */
export async function openHttp(
  connection: string,
  settings: HttpSettings,
  resolve: Resolve = resolveBySystem,
): Promise<Destination> {
  const exchange = await EndpointExchange.open(settings, resolve);
  return {
    kind: 'http',
    connection,
    batch: settings.at_once,
    check: async (mappings) => checkEndpoint(connection, settings, mappings),
    // An endpoint knows no people.
    find: async (persons) => persons.map(() => ({ found: 'none' })),
    preview: (plans, ctx) => previewPlans(settings, plans, ctx),
    write: (plans, ctx) => writePlans(exchange, settings, plans, ctx),
    // An endpoint needs no fields made.
    provision: async () => [],
    probe: (ctx) => probeEndpoint(settings, resolve, ctx),
    notify: (notice, ctx) => sendNotice(exchange, settings, notice, ctx),
    close: async () => exchange.close(),
  };
}
