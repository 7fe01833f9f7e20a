/** What a mapping as it is edited makes of a call. Runs in a thread of its own, which is ended when it takes too long. */
import type { Call } from '@wrapup/call';
import { compileEdited, type MappingPlace, planStanding } from '@wrapup/config';
import type { Finding } from '@wrapup/findings';
import {
  type CaseSource,
  foundIn,
  type GivenCall,
  type Produced,
  produce,
  readCase,
  writeFixture,
} from '@wrapup/fixtures';
import type { CompiledMapping, Plan } from '@wrapup/mapping';

/** A call of the ledger: what its revisions say together, and without what only a signature vouches for. */
export interface StoredCall {
  call: Call;
  proved: Call;
  /** Names of the records that it has on the route already. */
  written: string[];
}

export interface EvaluationRequest {
  /** As edited, and the route whose mapping it is. Absent: the call is read, and nothing is planned. */
  mapping?: { place: MappingPlace; text: string; route: { name: string; to: string } };
  source: CaseSource;
  /** A payload or a case as text, or a call of the ledger. */
  given: { text: string; received_at: number } | StoredCall;
  /** A test with this name is wanted, too. */
  test?: { name: string; mapping: string };
}

/** A plan that goes from thread to thread. */
export type BarePlan = Omit<Plan, 'settle'>;

export interface Evaluation {
  /** About the mapping, in the order of its lines. */
  findings: Finding[];
  /** About the text of the call. */
  problems: Finding[];
  /** Of the mapping, where it has no errors. */
  hash?: string;
  call?: Call;
  proved?: Call;
  plan?: BarePlan;
  /** What only a signature vouches for, and is not written. */
  withheld: string[];
  /** What becomes of the call where the CRM holds what the case says, else nothing. Absent of a call of the ledger. */
  outcome?: Pick<Produced, 'result' | 'because'>;
  /** Text of the test. */
  test?: string;
  /** Milliseconds of CPU. */
  took: number;
}

export function evaluate({ mapping: edited, source, given, test }: EvaluationRequest): Evaluation {
  const began = process.threadCpuUsage();
  const { mapping, findings } = edited
    ? compileEdited(edited.place, edited.text)
    : { findings: [], mapping: undefined };
  const { read, problems } = readGivenCall(given, source);
  const evaluation: Evaluation = { findings, problems, withheld: [], took: 0 };
  if (mapping) evaluation.hash = mapping.hash;
  if (read) {
    evaluation.call = read.call;
    evaluation.proved = read.proved;
    if (mapping && edited) {
      const { plan, withheld } = planStanding({ mapping, ...edited.route }, read, read.written);
      const { settle: _, ...bare } = plan;
      Object.assign(evaluation, { plan: bare, withheld });
      if (!('proved' in given)) evaluation.outcome = outcomeOf(mapping, read);
      if (test) evaluation.test = writeFixture({ mapping, named: test.mapping, source, given: read, name: test.name });
    }
  }
  const { user, system } = process.threadCpuUsage(began);
  evaluation.took = (user + system) / 1000;
  return evaluation;
}

function readGivenCall(
  given: EvaluationRequest['given'],
  source: CaseSource,
): { read?: GivenCall & StoredCall; problems: Finding[] } {
  if ('proved' in given) return { read: given, problems: [] };
  const { given: read, findings } = readCase(given.text, source, given.received_at);
  if (!read) return { problems: findings };
  return { read: { ...read, proved: read.call, written: [] }, problems: findings };
}

function outcomeOf(mapping: CompiledMapping, { call, test }: GivenCall): Pick<Produced, 'result' | 'because'> {
  const { result, because } = produce(mapping, call, foundIn(test));
  return { result, because };
}
