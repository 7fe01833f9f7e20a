/** What an adapter's tests have to bring so that the conformance suite can run against its CRM. */
import type { FieldWrite, Plan, Value } from '@wrapup/mapping';
import { afterEach, beforeEach } from 'vitest';
import type { Destination, WriteOutcome } from '../../port/destination.ts';
import type { Failure } from '../../port/failure.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import { type MemoryCommons, type MemoryContextOptions, makeMemoryContext } from '../memory-context.ts';
import { type SampleCall, type SampleNames, samplePlan } from '../sample-plan.ts';

/**
 * What goes wrong. `lost` and `unanswered` take effect in the CRM first: the connection breaks, or nothing ever comes. `held`
 * is served when it is calm.
 */
export type Trouble =
  | 'fails'
  | 'hangs'
  | 'held'
  | 'lost'
  | 'unanswered'
  | 'throttled'
  | 'refused-token'
  | 'empty-success';
/** Which requests it happens to. */
export type TroubleMoment =
  | 'look-up'
  | 'search'
  | 'related'
  | 'create-person'
  | 'update-person'
  | 'create-call-log'
  | 'create-task'
  | 'any';

export interface PersonEffect {
  id: string;
  properties: Record<string, string | undefined>;
}
export interface RecordEffect {
  id: string;
  /** Ids of the people it is linked to. */
  people: string[];
  properties: Record<string, string | undefined>;
}
export interface Effects {
  people: PersonEffect[];
  call_logs: RecordEffect[];
  tasks: RecordEffect[];
}

interface OwnerOfTest {
  id: string;
  email: string;
}

/** One CRM account of a test, empty but for the keys and fields that Wrapup needs. */
export interface TestAccount {
  /** A connection to it, as a process of its own would open one. */
  connect(options?: { drop_refused_fields?: boolean; timeout?: number }): Promise<Destination>;
  /** What is in the account now. */
  effects(): Promise<Effects>;
  /** @returns ids, in the order of creation */
  addPeople(people: { phone?: string; email?: string; first_name?: string }[]): Promise<string[]>;
  /** Two users of the account who can own records, and one who could once. */
  owners(): Promise<{ active: [OwnerOfTest, OwnerOfTest]; gone: OwnerOfTest }>;
  deletePerson(id: string): Promise<void>;
  /** The CRM's object of people whom `addPeople` adds and calls create. */
  readonly person: string;
  /** Changes a record as a colleague does. */
  change(object: string, id: string, values: Record<string, string>): Promise<void>;
  /** The values of a record as it is now. */
  record(object: string, id: string): Promise<Record<string, string | undefined>>;
  /** @param times how many requests it happens to; null for all from now on */
  trouble(kind: Trouble, moment: TroubleMoment, times?: number | null): void;
  calm(): void;
  /** Search shows what was written before this call, and nothing newer; true: everything at once. */
  searchSees(everything: boolean): void;
  /** Requests received so far. */
  requests(): number;
  close(): Promise<void>;
}

/**
 * Steps of the key ladder below the best one, in which an account may force an adapter to find its records again:
 * `read` unique keys without upsert, `map` no unique keys at all.
 */
export type LowerStep = 'read' | 'map';

/** A kind of record that people work on. */
export interface WorkedOnKind {
  /** What it is in plans: `call_log`, `deal`. */
  type: string;
  object: string;
  /** Fields that the CRM demands besides. */
  required: Record<string, Value>;
  /** A field, two values that a call may say of it, and one that a colleague does. */
  field: string;
  says: readonly [string, string];
  colleague: string;
  /** Mappings can find and change such records. */
  findable?: true;
  /** Such records are open or closed: what a colleague says closes one. */
  closes?: true;
  /** A text field by which such records are found. */
  found_by?: string;
}

/** Records that people can have already, to which a call log is linked. */
export interface RelatedKind {
  /** What `associate` calls them. */
  word: string;
  object: string;
  /** Adds a person of that number who has one that is open and one that is closed. @returns ids */
  add(account: TestAccount, phone: string, email?: string): Promise<{ person: string; open: string }>;
  /** Ids of those that a call log is linked to. */
  linked(account: TestAccount, call_log: string): Promise<string[]>;
  /** Takes a link of a call log off as a colleague does. */
  unlink(account: TestAccount, call_log: string, id: string): Promise<void>;
}

export interface Harness {
  names: SampleNames;
  /** Every kind of record that the adapter writes. */
  kinds: WorkedOnKind[];
  /** @param step an account that allows no more than this; only steps of `ladder` are asked for */
  open(step?: LowerStep): Promise<TestAccount>;
  /** Records are written with the row of their person or after it, never beside it. */
  after_person?: true;
  /** Lower steps that the adapter knows. None when it always has its keys. */
  ladder?: LowerStep[];
  /** Absent: people have nothing that a call log could be linked to. */
  related?: RelatedKind;
  /** A field of a call log that the CRM refuses, and that cannot be left out. */
  poison(): FieldWrite;
  /** A field of a call log whose value the CRM refuses, and without which it takes the rest. */
  refusedField(): FieldWrite;
  /** A text property of a person, a boolean one and one of numbers, that mappings may write. */
  text: string;
  flag: string;
  counter: string;
}

export function planFor(harness: Harness, call: SampleCall): Plan {
  return samplePlan(harness.names, call);
}

export function write(
  destination: Destination,
  plans: Plan[],
  commons?: MemoryCommons,
  options?: MemoryContextOptions,
): Promise<WriteOutcome[]> {
  return destination.write(plans, makeMemoryContext(commons, options));
}

/** Delivers a plan as the queue does: again, with what is known to be done, until it is written or stops for good. */
export async function deliver(
  destination: Destination,
  plan: Plan,
  commons: MemoryCommons | undefined,
  options?: MemoryContextOptions,
): Promise<WriteOutcome> {
  let attempt = plan;
  const { records: before = {}, done: steps = [] } = plan.resume ?? {};
  let known = before;
  let done = Object.fromEntries(steps.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]])));
  for (let attempts = 1; attempts <= 1_000; attempts += 1) {
    const [outcome] = await write(destination, [attempt], commons, options);
    if (!outcome) throw new Error('no outcome for a plan');
    if (outcome.ok || !['retry', 'throttle'].includes(outcome.failure.next)) return outcome;
    // The ledger keeps what is done until a failure names something else, and then that alone.
    done = outcome.failure.details.done ?? done;
    // It names the records that are there, whatever is done.
    known = { ...known, ...idsIn(outcome.failure.details.records) };
    attempt = { ...plan, resume: { attempts, records: { ...known, ...done }, done: Object.keys(done) } };
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
  }
  throw new Error('not delivered in 1000 attempts');
}

/** Ids by record name. @throws when it was not written */
export function ids(outcome: WriteOutcome | undefined): Record<string, string> {
  if (!outcome) throw new Error('no outcome');
  if (!outcome.ok) throw outcome.failure;
  return idsIn(outcome.receipt.records);
}

/** Ids by record name. */
export function idsIn(records: readonly RecordReceipt[] = []): Record<string, string> {
  return Object.fromEntries(records.map(({ name, id }) => [name, id]));
}

/** @throws when it was written after all */
export function failure(outcome: WriteOutcome | undefined): Failure {
  if (!outcome || outcome.ok) throw new Error('expected a failure');
  return outcome.failure;
}

/** Waits for something that happens in the CRM meanwhile. */
export async function reached(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What the cases of one block work with: a fresh account for each of them. */
export interface CaseTools {
  harness: Harness;
  names: SampleNames;
  account(): TestAccount;
  connect: TestAccount['connect'];
  effects: TestAccount['effects'];
  makePlan(call: SampleCall): Plan;
}

/** Opens and closes the account of each test of the enclosing block. */
export function useAccount(harness: Harness, step?: LowerStep): CaseTools {
  let current: TestAccount | undefined;
  beforeEach(async () => {
    current = await harness.open(step);
  });
  afterEach(async () => {
    await current?.close();
  });
  const account = () => {
    if (!current) throw new Error('no account outside of a test');
    return current;
  };
  return {
    harness,
    names: harness.names,
    account,
    connect: (options) => account().connect(options),
    effects: () => account().effects(),
    makePlan: (call) => planFor(harness, call),
  };
}
