/** Replays the deliveries that a line of omissions lists, once what they lack is put right. */
import type { AuditedOperator } from '../audit/audit-entry.ts';
import type { DeliveryState } from '../ledger/entry.ts';
import type { OmissionLine, OmittedCall } from '../omissions/omissions.ts';
import type { Replayed } from '../queues/operations.ts';
import type { Store } from './store.ts';

interface OmittedReplay {
  /** Attempts of a delivery on a route. */
  attempts(route: string): number;
  /** Hash of the configuration that the replay is asked for with. */
  config?: string | undefined;
  /** Who asks for it. */
  by: AuditedOperator;
  /** Epoch ms: only those that lost it since then. */
  since?: number | undefined;
  /** Called with what became of each. */
  onCall?(call: OmittedCall, result: Replayed): void;
}

/** How many were replayed, of how many; `expired`: no payload is left to replay, `moved`: on their way already, or dropped. */
export type OmittedReplayCounts = Record<'of' | Replayed, number>;

/** Replays that are under way to Redis at once. */
const AT_ONCE = 50;
/** What was written without a field, and what a later replay made of it. What a person has dropped stays so. */
const FINISHED: DeliveryState[] = ['written', 'skipped', 'parked', 'dead'];

/** Queues them again, a thousand at most: those that a line keeps. What a colleague changed since stays, as with every replay. */
export async function replayOmitted(
  store: Pick<Store, 'omissions' | 'operations' | 'audit'>,
  line: Pick<OmissionLine, 'connection' | 'id'>,
  { attempts, config, by, since, onCall }: OmittedReplay,
): Promise<OmittedReplayCounts> {
  const calls = await store.omissions.calls(line, since);
  const noted = { action: 'replay omissions' as const, target: line.id, connection: line.connection, of: calls.length };
  await store.audit.note(by, { ...noted, step: 'begun' });
  const counts: OmittedReplayCounts = { of: calls.length, replayed: 0, expired: 0, moved: 0 };
  for (let start = 0; start < calls.length; start += AT_ONCE) {
    const some = calls.slice(start, start + AT_ONCE);
    const results = await Promise.all(
      some.map(({ source, call_id, route }) =>
        store.operations.replay(source, call_id, route, {
          attempts: attempts(route),
          from: FINISHED,
          config,
          by,
          run: true,
        }),
      ),
    );
    for (const [index, result] of results.entries()) {
      counts[result] += 1;
      onCall?.(some[index] as OmittedCall, result);
    }
  }
  await store.audit.note(by, { ...noted, step: 'ended', done: counts.replayed, expired: counts.expired });
  return counts;
}
