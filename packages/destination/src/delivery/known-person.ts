/** Somebody who exists in the CRM, and what an adapter brings to write such people (`known-people.ts`). */
import type { RecordReceipt } from '../destination.ts';
import type { RowResult } from '../engine/records/row.ts';
import type { Failure } from '../failure.ts';
import type { Properties } from './field-decisions.ts';
import type { Job } from './job.ts';

/** A person as an adapter reads it. */
export interface Person {
  id: string;
  properties: Properties;
}

export interface KnownPerson<P extends Person = Person> {
  person: P;
  /** Names of the properties that were read; absent: nothing but the id is known. */
  asked?: ReadonlySet<string>;
  jobs: Job[];
  /** Made just now, with everything that its jobs say. */
  created?: boolean;
  /** The id was only told: whoever it is has to be read. */
  verify?: boolean;
}

/** Somebody whose record is not there any more. */
export interface LostPerson {
  id: string;
  jobs: Job[];
}

/** How a CRM's people are read and written. @typeParam Row what the adapter sends */
export interface PeopleWriter<P extends Person, Row> {
  /** Property for when the last call ended that was written to a person. */
  watermark: string;
  /**
   * Reads people by id; never rejects. Answers stand under the id that was asked for, though somebody merged has another
   * one now; who is neither found nor failed is gone.
   */
  read(
    ids: string[],
    properties: string[],
    plansOf: (id: string) => number[],
  ): Promise<{ found: ReadonlyMap<string, P>; failed: ReadonlyMap<string, Failure> }>;
  /**
   * What these jobs write to the person; undefined when that is nothing. May end jobs. Throws what ends all of them.
   * @param watermark epoch ms when the last call ended that was written there, where that is known
   */
  rowOf(person: P, jobs: Job[], watermark: number | undefined): Row | undefined;
  /** Sends rows and says what became of each. Never rejects. */
  send(rows: Row[]): Promise<Map<Row, RowResult>>;
  /** What a refusal means: a failure, or `again` when the jobs have been changed so that the rest may be taken. */
  judge(known: KnownPerson<P>, row: Row, failure: Failure): Failure | 'again';
  /** Properties by which a person is found: once one was written, search will not know for a while. */
  foundBy(person: P): readonly string[];
  /**
   * Id under which the person goes on once written.
   * @param answered what the CRM answered: the new id of somebody merged, or that of a record that stands for the person
   */
  idOf(person: P, answered: string): string;
  receiptOf(person: P): Pick<RecordReceipt, 'object' | 'url'>;
  /** Account of the person, in CRMs that have such. */
  accountOf?(person: P): string | undefined;
}

/** One entry a person: a batch in which an id stands twice is refused. */
export function joinById<P extends Person>(people: KnownPerson<P>[]): KnownPerson<P>[] {
  const joined = new Map<string, KnownPerson<P>>();
  for (const one of people) {
    const known = joined.get(one.person.id);
    if (!known) {
      joined.set(one.person.id, { ...one });
      continue;
    }
    known.jobs = [...known.jobs, ...one.jobs];
    if (!known.asked && one.asked) {
      known.person = one.person;
      known.asked = one.asked;
    }
    known.created = known.created === true && one.created === true;
    known.verify = known.verify === true && one.verify === true;
  }
  return [...joined.values()];
}
