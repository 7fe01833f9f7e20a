/** Who the people of many plans are: each is looked up, judged by its policy, and created where the CRM does not have them. */
import type { Context } from '../../port/context.ts';
import { Failure, parkedBy } from '../../port/failure.ts';
import { type OwnerSource, ownersFor } from '../owners/owners.ts';
import { type PlanReport, type PlanWrite, reportFailure, reportFailures } from '../plan/plan-write.ts';
import { createPeople } from './create-people.ts';
import { decide, groupUnknown, lookUpPeople } from './match-people.ts';
import { leaseEach, writeLeases } from './person-cache.ts';
import type { KnownPerson, PeopleVerbs, PersonWrite } from './person-verbs.ts';
import {
  beginWrite,
  joinById,
  joinByNames,
  propertiesToRead,
  questionOf,
  resolvePlan,
  writtenBefore,
} from './person-write.ts';
import { limitIfSaid, settleClaim } from './said-addresses.ts';
import { type GonePerson, readyPeople } from './update-people.ts';

interface IdentifiedPeople {
  /** Those who are there and can be written. */
  people: KnownPerson[];
  /** Their plans, whose records may be written. */
  writes: PlanWrite[];
  /** Plans whose calls are logged without a person. */
  log_only: PlanWrite[];
  /** Those whose record vanished after it was found. */
  gone: GonePerson[];
  reports: PlanReport[];
  /** Resolves once the next delivery knows of those who were created. Never rejects. */
  noted: Promise<void>;
}

/** Finds people, creates those whom the CRM does not have, and reads what has to be known of them. Never rejects. */
export async function identifyPeople(
  crm: PeopleVerbs,
  plans: PersonWrite[],
  dead: ReadonlyMap<number, ReadonlySet<string>>,
): Promise<IdentifiedPeople> {
  const matched = await matchPeople(crm, plans, dead);
  const created = await createPeople(crm, groupUnknown(matched.unknown));
  const { open, gone, ...ready } = await readyPeople(crm, [...matched.known, ...created.known]);
  return {
    people: open,
    writes: ready.writes,
    log_only: matched.log_only,
    gone,
    reports: [...matched.reports, ...created.reports, ...ready.reports],
    noted: created.noted,
  };
}

interface Matched {
  known: KnownPerson[];
  unknown: PersonWrite[];
  log_only: PlanWrite[];
  reports: PlanReport[];
}

/** Who the plans' people are, and what each plan's policy makes of that. @param dead ids that proved so, by plan */
async function matchPeople(
  crm: PeopleVerbs,
  plans: PersonWrite[],
  dead: ReadonlyMap<number, ReadonlySet<string>>,
): Promise<Matched> {
  const matched: Matched = { known: [], unknown: [], log_only: [], reports: [] };
  const asking: PersonWrite[] = [];
  for (const write of plans) {
    const id = writtenBefore(write);
    // Nothing is needed of a person whom an earlier attempt has written.
    if (id !== undefined && write.resolved && !dead.get(write.index)?.has(id))
      matched.known.push({ person: crm.byId(id), writes: [{ ...write, done: true }] });
    else asking.push(write);
  }
  const properties = propertiesToRead(
    plans.map(({ plan }) => plan),
    crm.watermark,
  );
  const questions = asking.map((write) => questionOf(write, dead.get(write.index)));
  const answers = await lookUpPeople(crm, questions, properties);
  for (const [index, write] of asking.entries()) {
    const decision = decide(write.plan, answers[index] ?? { found: 'none' }, crm);
    if (decision.do === 'use') {
      const { person, read, chosen = false } = decision;
      try {
        const limited = await limitIfSaid(crm.session.ctx, write, decision);
        const resolved = read ? resolvePlan(limited, person.properties) : limited;
        const one = { ...resolved, chosen, done: person.id === writtenBefore(write) };
        const waits = one.resolved ? parkedBy(one.plan) : undefined;
        if (waits) matched.reports.push(reportFailure(one, 'person', waits));
        else matched.known.push({ person, writes: [one], ...(read ? { asked: new Set(properties) } : {}) });
      } catch (thrown) {
        matched.reports.push(reportFailure(write, 'person', Failure.of(thrown)));
      }
    } else if (decision.do === 'create') matched.unknown.push(write);
    else if (decision.do === 'fail') matched.reports.push(reportFailure(write, 'person', decision.failure));
    else if (decision.do === 'skip') matched.reports.push({ plan: write.index, skipped: decision.note });
    else {
      const resolved = resolvePlan(write, {});
      const waits = parkedBy(resolved.plan);
      if (waits) {
        matched.reports.push(reportFailure(resolved, 'person', waits));
        continue;
      }
      matched.log_only.push({ ...resolved, log_only: true });
      matched.reports.push(...[...resolved.notes, decision.note].map((note) => ({ plan: write.index, note })));
    }
  }
  return { ...matched, known: joinById(matched.known) };
}

/** Plans with the owners that they may name, and with the ids that may be looked for. Never rejects. */
export async function beginPeople(
  people: PeopleVerbs,
  owners: OwnerSource,
  writes: PlanWrite[],
): Promise<{ writes: PersonWrite[]; reports: PlanReport[] }> {
  const { ctx } = people.session;
  const { directory, asking, reports } = await ownersFor(ctx, writes, owners);
  const ended = new Set(reports.map(({ plan }) => plan));
  const begin = async (write: PlanWrite): Promise<PersonWrite[]> => {
    try {
      const plan = await settleClaim(ctx, write.plan);
      return [beginWrite({ ...write, plan }, asking.has(write) ? directory : undefined)];
    } catch (thrown) {
      reports.push(reportFailure(write, 'person', Failure.of(thrown)));
      return [];
    }
  };
  const begun = await Promise.all(writes.filter(({ index }) => !ended.has(index)).map(begin));
  return { writes: begun.flat(), reports };
}

/*
 * One delivery at a time for each person, from the look-up until everything is written to them. What is newer is decided by
 * what stands in the CRM: of two deliveries that look at the same time, the older call could write after the newer one.
 */

interface LeasedPeople {
  /** Plans that may go on. */
  held: PlanWrite[];
  /** Those whose person another delivery is at. */
  reports: PlanReport[];
  release(): Promise<void>;
}

/** Never rejects. A person who is reached by different numbers or addresses in two calls is not known for the same one here. */
export async function leasePeople(ctx: Context, writes: readonly PlanWrite[]): Promise<LeasedPeople> {
  // Plans that share a number or an address take one lease together.
  const groups = joinByNames(writes, ({ plan }) => writeLeases(plan.person?.match ?? []));
  // To a person who is known by speech alone nothing is written.
  const [alone, named] = [groups.filter(({ names }) => names.size === 0), groups.filter(({ names }) => names.size > 0)];
  const { held, failed, release } = await leaseEach(ctx, named, ({ names }) => [...names]);
  const free = new Set([...alone, ...held].flatMap((group) => group.writes));
  return {
    held: writes.filter((write) => free.has(write)),
    reports: [...failed].flatMap(([group, failure]) => reportFailures(group.writes, 'person', failure)),
    release,
  };
}
