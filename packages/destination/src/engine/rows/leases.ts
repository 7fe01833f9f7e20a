/** Leases on people and records while they are written: a delivery that finds one taken waits. */
import type { Context, Held } from '../../port/context.ts';
import { Failure } from '../../port/failure.ts';

/**
 * How long a lease outlives its holder, in ms: no longer than the lock of the holder's job, so that the next worker that
 * gets the job need not wait for it once more. It is renewed while it is held.
 */
const LEASE_MS = 10_000;
/** After so long what another delivery is writing is tried again. */
const BUSY_MS = 1000;

/**
 * Takes leases, item by item. Never rejects.
 * @param namesOf names of the leases that an item needs, all or none
 */
export async function leaseEach<Leased>(
  ctx: Context,
  items: Leased[],
  namesOf: (item: Leased) => string[],
): Promise<{ held: Leased[]; failed: Map<Leased, Failure>; release(): Promise<void> }> {
  const leases = new Map<Leased, Held>();
  const failed = new Map<Leased, Failure>();
  for (const item of items) {
    try {
      const lease = await ctx.lease.take(namesOf(item), LEASE_MS);
      if (lease) leases.set(item, lease);
      else failed.set(item, busy());
    } catch (thrown) {
      failed.set(item, Failure.of(thrown));
    }
  }
  const release = async () => {
    // A lease that cannot be given back expires by itself.
    for (const lease of leases.values()) await lease.release().catch(() => {});
  };
  return { held: [...leases.keys()], failed, release };
}

/** Another delivery is at the same person or record at this moment. */
export function busy(): Failure {
  return new Failure('busy', 'Another delivery is writing the same person or record at this moment.', {
    retry_after: BUSY_MS,
    hint: 'Nothing to do: the delivery goes on by itself.',
  });
}
