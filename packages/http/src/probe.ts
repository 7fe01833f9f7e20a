import { type Context, type Probe, withDeadline } from '@wrapup/destination';
import { NoAnswer } from './client/exchange.ts';
import { AddressRefused, permittedAddresses, type Resolve } from './client/guarded-agent.ts';
import { allowedAddresses, type HttpSettings, hostOf } from './endpoint/settings.ts';
import { closedBy } from './errors/closed.ts';
import { failureOfSilence, refusedAddress, withdrawn } from './errors/failures.ts';

/**
 * Looks whether the name resolves to an address that may be connected to. Sends nothing: an endpoint has no request that
 * would not be taken for an event.
 */
export async function probeEndpoint(settings: HttpSettings, resolve: Resolve, ctx: Context): Promise<Probe> {
  const closed = await closedBy(ctx, settings);
  if (closed) throw closed;
  const host = hostOf(settings);
  try {
    // A resolver cannot be stopped, only no longer awaited.
    const addresses = await withDeadline(
      permittedAddresses(host, allowedAddresses(settings), resolve),
      Math.min(settings.timeout, ctx.deadline - Date.now()),
      () => new NoAnswer('deadline'),
      ctx.signal,
    );
    return {
      account: host,
      notes: [`resolves to ${addresses.map(({ address }) => address).join(', ')}`, signed(settings)],
    };
  } catch (thrown) {
    if (thrown instanceof AddressRefused) throw refusedAddress(thrown, settings);
    if (ctx.signal.aborted) throw withdrawn(settings);
    throw failureOfSilence(thrown instanceof NoAnswer ? thrown : new NoAnswer('network', thrown), settings);
  }
}

function signed({ secret }: HttpSettings): string {
  if (secret.length === 0) return 'events are not signed: there is no secret';
  return secret.length === 1 ? 'events are signed' : `events are signed with ${secret.length} secrets`;
}
