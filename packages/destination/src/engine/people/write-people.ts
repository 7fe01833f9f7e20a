/** Finds, creates and writes the people of many plans, in rounds: each is looked up, judged by its policy, and written once. */
import { Failure, parkedBy } from '../../port/failure.ts';
import { type OwnerSource, ownersFor } from '../owners/owners.ts';
import { type PlanReport, type PlanWrite, reportFailure } from '../plan/plan-write.ts';
import { createPeople } from './create-people.ts';
import { decide, groupUnknown, lookUpPeople } from './match-people.ts';
import { forgetPerson } from './person-cache.ts';
import type { KnownPerson, PeopleVerbs, PersonWrite } from './person-verbs.ts';
import {
  beginWrite,
  contactSteps,
  joinById,
  limitIfSaid,
  propertiesToRead,
  questionOf,
  resetWrite,
  resolvePlan,
  settleClaim,
  writtenBefore,
} from './person-write.ts';
import { updatePeople } from './update-people.ts';

interface PeopleResult {
  /** Plans whose records may be written: with their person, log only, or without a person by their mapping. */
  writes: PlanWrite[];
  reports: PlanReport[];
}

/** Those whose record vanished between look-up and write are looked up once more. Never rejects. */
export async function writePeople(crm: PeopleVerbs, all: PersonWrite[]): Promise<PeopleResult> {
  const parked = all.map((write) => [write, write.resolved ? parkedBy(write.plan) : undefined] as const);
  const plans = parked.flatMap(([write, failure]) => (failure ? [] : [write]));
  const done: PeopleResult = { writes: plans.filter(({ plan }) => plan.person === null), reports: [] };
  for (const [write, failure] of parked) if (failure) done.reports.push(reportFailure(write, 'person', failure));
  for (const { index, notes } of done.writes as PersonWrite[])
    done.reports.push(...notes.map((note) => ({ plan: index, note })));
  let open = plans.filter(({ plan }) => plan.person !== null);
  const gone = new Map<number, ReadonlySet<string>>();
  for (let round = 0; round < 2 && open.length > 0; round += 1) {
    const matched = await matchPeople(crm, open, gone);
    const created = await createPeople(crm, groupUnknown(matched.unknown));
    const updated = await updatePeople(crm, [...matched.known, ...created.known]);
    done.writes.push(...matched.log_only, ...updated.writes);
    done.reports.push(...matched.reports, ...created.reports, ...updated.reports);
    open = updated.gone.flatMap(({ writes }) => writes.map(resetWrite));
    for (const { id, writes } of updated.gone)
      for (const { index } of writes) gone.set(index, new Set([...(gone.get(index) ?? []), id]));
    for (const step of open.flatMap(contactSteps)) await forgetPerson(crm.session.ctx, step).catch(() => {});
  }
  const vanished = new Failure('gone', crm.wording.vanished);
  done.reports.push(...open.map((write) => reportFailure(write, 'person', vanished)));
  return done;
}

interface Matched {
  known: KnownPerson[];
  unknown: PersonWrite[];
  log_only: PlanWrite[];
  reports: PlanReport[];
}

/** Who the plans' people are, and what each plan's policy makes of that. @param gone ids that proved dead, by plan */
async function matchPeople(
  crm: PeopleVerbs,
  plans: PersonWrite[],
  gone: ReadonlyMap<number, ReadonlySet<string>>,
): Promise<Matched> {
  const matched: Matched = { known: [], unknown: [], log_only: [], reports: [] };
  const asking: PersonWrite[] = [];
  for (const write of plans) {
    const id = writtenBefore(write);
    // Nothing is needed of a person whom an earlier attempt has written.
    if (id !== undefined && write.resolved && !gone.get(write.index)?.has(id))
      matched.known.push({ person: crm.byId(id), writes: [{ ...write, done: true }] });
    else asking.push(write);
  }
  const properties = propertiesToRead(
    plans.map(({ plan }) => plan),
    crm.watermark,
  );
  const questions = asking.map((write) => questionOf(write, gone.get(write.index)));
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
