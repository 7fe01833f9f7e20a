/**
 * Whether what happened to a call, or to a connection, is something that the model could have done: the steps of
 * docs/model/wrapup.qnt as a relation between what is seen of a state before and after. accept.test.ts holds it against the
 * model's own traces. Steps of which nothing is seen are left out of what is compared: what a worker has in hand, what the CRM said.
 */
import type { ModelState } from './trace.ts';

/** What is seen of one call, under the names of the model. */
export interface CallState {
  /** By revision. */
  revisions: Record<string, { at: number; effect: string }>;
  /** By route. */
  deliveries: Record<string, ModelState['deliveries'][string]>;
  open: boolean;
  /** `<route>/<state>` of what is parked or dead, as it is listed. */
  listed: string[];
  /** Who is at a delivery, by route. Nothing where it is free. */
  leases: Record<string, string>;
}

type Delivery = CallState['deliveries'][string];

export const NO_CALL: CallState = { revisions: {}, deliveries: {}, open: false, listed: [], leases: {} };

/** Another worker may take a lease that ends so: its holder waits, and looks again before it sends. The model leaves that out. */
const YIELDS = ':yields';

/** The model's steps that lead to a state, or why none does. */
export type Acceptance = { steps: string[] } | { refused: string };

export interface CallLimits {
  /** Attempts at a delivery until it is dead. */
  attempts: number;
}

/** Takes the states of one call as they follow each other. */
export class CallAcceptor {
  readonly #limits: CallLimits;
  #state = NO_CALL;
  /** Attempts that have begun and of which no outcome is noted: `<route> <revision> <replays>`, one for each. A crash leaves one. */
  readonly #hands: string[] = [];

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** Steps at a delivery name its route: `begin log`, `note written log`. */
  accept(after: CallState): Acceptance {
    const before = this.#state;
    const steps: string[] = [];
    const refused = findHidden(after) ?? this.#explain(before, after, steps);
    if (refused) return { refused };
    this.#state = after;
    return { steps };
  }

  #explain(before: CallState, after: CallState, steps: string[]): string | undefined {
    const came = Object.keys(after.revisions).filter((rev) => !before.revisions[rev]);
    const lost = Object.keys(before.revisions).filter((rev) => !after.revisions[rev]);
    if (lost.length > 0) return `revision ${lost.join(', ')} was kept and is gone`;
    if (came.length > 1) return `revisions ${came.join(', ')} came in one step`;
    const [rev] = came;
    if (rev !== undefined) {
      steps.push('arrive');
      if (after.revisions[rev]?.effect !== '') return `revision ${rev} came with an effect`;
      if (!after.open) return `revision ${rev} came, and the call is not open`;
      return same(
        { ...before, revisions: { ...before.revisions, [rev]: { at: 0, effect: '' } }, open: true },
        after,
        rev,
      );
    }
    const judged = Object.keys(after.revisions).filter(
      (one) => before.revisions[one]?.effect === '' && after.revisions[one]?.effect !== '',
    );
    if (judged.length > 1) return `revisions ${judged.join(', ')} were judged in one step`;
    if (judged[0] !== undefined) return this.#explainJudged(judged[0], before, after, steps);
    const moved = Object.keys({ ...before.deliveries, ...after.deliveries }).filter(
      (route) => !isSame(before.deliveries[route], after.deliveries[route]),
    );
    if (moved.length > 1) return `deliveries on ${moved.join(', ')} changed in one step`;
    const [route] = moved;
    if (route !== undefined) return this.#explainMoved(route, before, after, steps);
    // Nothing but leases that end, and a call that is no longer, or again, looked at.
    for (const [one, holder] of Object.entries(before.leases))
      if (!after.leases[one]) steps.push(`free ${one}`);
      else if (holderOf(after.leases[one]) !== holderOf(holder)) return `the lease on ${one} went from one to another`;
    for (const one of Object.keys(after.leases)) if (!before.leases[one]) return `a lease on ${one} with no attempt`;
    if (before.open && !after.open) steps.push('end');
    // A body that was there before came again.
    if (!before.open && after.open) steps.push('arrive');
    return same({ ...before, leases: after.leases, open: openAfter(before, after) }, after);
  }

  /** `judge` of a revision that was not judged before. */
  #explainJudged(rev: string, before: CallState, after: CallState, steps: string[]): string | undefined {
    const { at } = before.revisions[rev] as CallState['revisions'][string];
    const effect = after.revisions[rev]?.effect as string;
    if (!['applied', 'equal', 'parked'].includes(effect)) return `revision ${rev} was judged ${effect}`;
    const others = Object.entries(before.revisions).filter(
      ([one, { effect: had }]) => one !== rev && had === 'applied',
    );
    if (effect !== 'applied' && others.length === 0)
      return `revision ${rev} was judged ${effect}, and there is none to compare it with`;
    steps.push(`judge ${effect}`);
    const park = effect === 'parked';
    const routes = [...new Set([...Object.keys(before.deliveries), ...Object.keys(after.deliveries)])];
    const moving = routes.filter((route) => isMoving(before.deliveries[route], rev));
    if (park && moving.length > 0)
      return `revision ${rev} was parked while another is on its way on ${moving.join(', ')}`;
    const revisions = { ...before.revisions, [rev]: { at, effect } };
    const deliveries: CallState['deliveries'] =
      effect === 'equal'
        ? before.deliveries
        : Object.fromEntries(
            routes.map((route) => {
              const had = before.deliveries[route];
              return [
                route,
                routed(had, { rev, at, park, hadParked: had ? revisions[had.rev]?.effect === 'parked' : false }),
              ];
            }),
          );
    const wanted = { ...before, revisions, deliveries, listed: listedOf(deliveries) };
    return same({ ...wanted, open: openAfter(wanted, after) }, after);
  }

  /** `begin`, `note`, `replay` or `drop`. */
  #explainMoved(route: string, before: CallState, after: CallState, steps: string[]): string | undefined {
    const [had, has] = [before.deliveries[route], after.deliveries[route]];
    if (!had || !has) return `the delivery on ${route} ${had ? 'is gone' : 'is there with no revision judged'}`;
    const expect = (wanted: Partial<CallState> & { delivery: Delivery }) => {
      const deliveries = { ...before.deliveries, [route]: wanted.delivery };
      const state = { ...before, ...wanted, deliveries, listed: listedOf(deliveries) };
      const { delivery: _, ...rest } = state;
      return same({ ...rest, open: wanted.open ?? openAfter(rest, after) }, after);
    };
    const holder = before.leases[route] ?? '';
    if (had.state === 'queued' && has.state === 'queued' && has.attempts === had.attempts + 1) {
      steps.push(`begin ${route}`);
      const now = after.leases[route] ?? '';
      if (now === '') return `an attempt on ${route} began without a lease`;
      if (holder !== '' && !holder.endsWith(YIELDS))
        return `an attempt on ${route} began while another worker was at it`;
      this.#hands.push(handOf(route, had));
      return expect({ delivery: { ...had, attempts: had.attempts + 1 }, leases: { ...before.leases, [route]: now } });
    }
    const undo = operatorStep(had, has);
    if (undo) {
      steps.push(`${undo.step} ${route}`);
      const body = before.revisions[undo.delivery.rev];
      const released = undo.delivery.state === 'queued' && body?.effect === 'parked' && undo.step === 'replay';
      const revisions = released
        ? { ...before.revisions, [undo.delivery.rev]: { ...body, effect: 'applied' } }
        : before.revisions;
      const isBack = undo.delivery.state === 'queued';
      return expect({ delivery: undo.delivery, revisions, ...(isBack && { open: true }) });
    }
    if (had.state !== 'queued') return `the delivery on ${route} went from ${had.state} to ${has.state}`;
    steps.push(`note ${has.state} ${route}`);
    const hand = this.#hands.indexOf(handOf(route, had));
    if (hand < 0) return `an outcome on ${route} with no attempt`;
    this.#hands.splice(hand, 1);
    if (!['queued', 'written', 'parked', 'dead'].includes(has.state)) return `the delivery on ${route} is ${has.state}`;
    if (has.state === 'dead' && had.attempts < this.#limits.attempts)
      return `the delivery on ${route} is dead after ${had.attempts} attempts`;
    const refund = has.state === 'queued' && has.attempts === had.attempts - 1 ? 1 : 0;
    const leases = without(before.leases, after.leases[route] === undefined ? route : undefined);
    return expect({ delivery: { ...had, state: has.state, attempts: had.attempts - refund }, leases });
  }
}

/** What an operator did to a delivery, where it is that. */
function operatorStep(had: Delivery, has: Delivery): { step: 'replay' | 'drop'; delivery: Delivery } | undefined {
  const again = { state: 'queued', replays: had.replays + 1, attempts: 0, displaced: '' };
  if (has.replays === had.replays + 1 && has.rev === had.rev && ['parked', 'dead', 'written'].includes(had.state))
    return { step: 'replay', delivery: { ...had, ...again } };
  if (!['parked', 'dead', 'queued'].includes(had.state)) return undefined;
  if (has.replays === had.replays + 1 && had.displaced !== '' && has.rev === had.displaced)
    return { step: 'drop', delivery: { ...had, ...again, rev: had.displaced } };
  if (has.state === 'dropped' && had.displaced === '') return { step: 'drop', delivery: { ...had, state: 'dropped' } };
  return undefined;
}

interface Judged {
  rev: string;
  at: number;
  park: boolean;
  /** The revision that the delivery has now waits for a person. */
  hadParked: boolean;
}

/** As `routed` of the model, of a revision that is judged for the first time. */
function routed(had: Delivery | undefined, { rev, at, park, hadParked }: Judged): Delivery {
  const state = park ? 'parked' : 'queued';
  if (!had) return { state, rev, replays: 0, attempts: 0, revised: at, displaced: '' };
  const takes = had.rev !== rev && had.state !== 'dropped' && (park || at >= had.revised);
  if (!takes) return had;
  const displaced = had.displaced || (had.state !== 'written' && !hadParked ? had.rev : '');
  return { ...had, state, rev, attempts: 0, revised: Math.max(at, had.revised), displaced: park ? displaced : '' };
}

function isMoving(delivery: Delivery | undefined, rev: string): boolean {
  return delivery?.state === 'queued' && delivery.rev !== rev;
}

/** A call may stay open, or leave the open ones once nothing of it is on its way. */
function openAfter(wanted: Omit<CallState, 'open'> & { open: boolean }, after: CallState): boolean {
  return wanted.open && !after.open && isAtRest(wanted) ? false : wanted.open || after.open;
}

function isAtRest({ revisions, deliveries }: Pick<CallState, 'revisions' | 'deliveries'>): boolean {
  const effects = Object.values(revisions).map(({ effect }) => effect);
  const isRouted = effects.some((effect) => effect === 'applied' || effect === 'parked');
  return isRouted && !effects.includes('') && Object.values(deliveries).every(({ state }) => state !== 'queued');
}

/** `shown` of the model: what is on its way is open, and what is parked or dead is listed, and nothing else. */
function findHidden({ revisions, deliveries, open, listed }: CallState): string | undefined {
  const unread = Object.keys(revisions).find((rev) => revisions[rev]?.effect === '');
  if (unread !== undefined && !open) return `revision ${unread} is not judged, and the call is not open`;
  const moving = Object.keys(deliveries).find((route) => deliveries[route]?.state === 'queued');
  if (moving !== undefined && !open) return `the delivery on ${moving} is on its way, and the call is not open`;
  const wanted = listedOf(deliveries).join(', ');
  return wanted === listed.toSorted().join(', ') ? undefined : `listed is ${listed.join(', ')}, and there is ${wanted}`;
}

function listedOf(deliveries: CallState['deliveries']): string[] {
  return Object.entries(deliveries)
    .flatMap(([route, { state }]) => (state === 'parked' || state === 'dead' ? [`${route}/${state}`] : []))
    .sort();
}

const handOf = (route: string, { rev, replays }: Delivery) => `${route} ${rev} ${replays}`;

const holderOf = (lease: string) => (lease.endsWith(YIELDS) ? lease.slice(0, -YIELDS.length) : lease);

function without(leases: Record<string, string>, route: string | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(leases).filter(([one]) => one !== route));
}

/** @param came a revision whose arrival is what it is @returns what differs */
function same(wanted: CallState, after: CallState, came?: string): string | undefined {
  const known = { ...wanted, listed: listedOf(wanted.deliveries) };
  if (came !== undefined) {
    const arrival = after.revisions[came] as CallState['revisions'][string];
    known.revisions = { ...wanted.revisions, [came]: arrival };
  }
  for (const part of ['revisions', 'deliveries', 'open', 'listed', 'leases'] as const)
    if (!isSame(known[part], after[part]))
      return `${part} is ${JSON.stringify(after[part])}, and the model says ${JSON.stringify(known[part])}`;
  return undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) =>
    isSame((one as Record<string, unknown>)[name], (other as Record<string, unknown>)[name]),
  );
}
