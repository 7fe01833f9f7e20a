/**
 * A call of the ledger as it stands, read from its stored payloads, and what a route would make of it now: for commands and pages
 * that show a plan. It writes nothing, and loads no client of Redis or of Synthflow's API.
 */
import { type Call, parseJson } from '@wrapup/call';
import { planStanding, type Route, type Source } from '@wrapup/config';
import type { RecordReceipt } from '@wrapup/destination';
import { asReplay, type Plan } from '@wrapup/mapping';
import type { LedgerEntry, OperatorChoice, Store } from '@wrapup/queue';
import { combineRevisions, normalise, readCallId, type StandingCall } from '@wrapup/synthflow/payload';

export interface CallToPlan extends StandingCall {
  /** Records that the call has on a route already. Absent: nothing is known of it. */
  written?(route: string): RecordReceipt[];
  /** Whom an operator chose for the call on a route. */
  chosen?(route: string): OperatorChoice | undefined;
}

/** @param receivedAt epoch ms */
export function normaliseFor(source: Source, payload: unknown, receivedAt: number): Call {
  return normalise(payload, {
    source: source.name,
    key_prefix: source.key_prefix,
    agents: source.agents,
    received_at: receivedAt,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  });
}

/**
 * The call as a replay would deliver it: the last revision that replaced what came before, or waits for a decision, and
 * what later ones added. Undefined where a payload has expired, was removed, or has no shape that this version knows.
 */
export async function readStanding(
  store: Pick<Store, 'payloads'>,
  entry: LedgerEntry,
  source: Source,
): Promise<CallToPlan | undefined> {
  const waiting = new Set(entry.deliveries.filter(({ state }) => state === 'parked').map(({ revision }) => revision));
  const standing = entry.revisions.filter(
    ({ hash, effect }) =>
      effect !== 'equal' &&
      effect !== 'hint' &&
      (effect !== 'parked' || waiting.has(hash)) &&
      // One that is not judged yet is not what a replay of the deliveries writes.
      (effect !== undefined || !entry.routed),
  );
  const from = standing.findLastIndex(({ effect }) => effect !== 'added');
  const revisions: { call: Call; proved: boolean }[] = [];
  for (const { hash, verified } of standing.slice(Math.max(0, from))) {
    const body = await store.payloads.read(entry.source, entry.call_id, hash);
    const payload = body && parseJson(body.toString('utf8'));
    if (payload === undefined || readCallId(payload) === undefined) return undefined;
    revisions.push({ call: normaliseFor(source, payload, entry.received_at), proved: verified === 'api' });
  }
  const [first, ...added] = revisions;
  if (!first) return undefined;
  const on = (route: string) => entry.deliveries.find((delivery) => delivery.route === route);
  return {
    ...combineRevisions(first.call, added),
    written: (route) => on(route)?.records ?? [],
    chosen: (route) => on(route)?.chosen,
  };
}

/** Why `readStanding` found nothing to read, after "the payload of this call". */
export function whyUnreadable({ revisions, deliveries }: LedgerEntry): string {
  return deliveries.length === 0 && revisions.at(-1)?.effect === 'unrecognised'
    ? 'has a shape that this version does not know'
    : 'has expired or was removed';
}

/** The plan of a call of the ledger with what operators chose. */
export function withChoices(
  store: Pick<Store, 'choices'>,
  plan: Plan,
  route: Route,
  { chosen }: CallToPlan,
): Promise<Plan> {
  const own = chosen?.(route.name);
  return store.choices.applyTo(plan, { connection: route.to, ...(own ? { chosen: own } : {}) });
}

/** What a route would make of the call now, and what is withheld since only a signature vouches for it. */
export function planOn(route: Route, standing: CallToPlan): { plan: Plan; withheld: string[] } {
  const written = standing.written?.(route.name) ?? [];
  const { plan, withheld } = planStanding(
    route,
    standing,
    written.map(({ name }) => name),
  );
  return { plan: asReplay(plan, written), withheld };
}
