/** Trying an adapter against a real account: what the runs of all adapters have in common. */
import { writeFileSync } from 'node:fs';
import type { Plan } from '@wrapup/mapping';
import { ExchangeRecorder } from '../http/recorder.ts';
import type { Context } from '../port/context.ts';
import type { Destination, WriteOutcome } from '../port/destination.ts';
import { makeMemoryCommons, makeMemoryContext, type Pools } from './memory-context.ts';

export interface LiveStep {
  step: string;
  ok: boolean;
  detail: string;
}

/** What became of a run. @typeParam Answer what was asked and answered, and whether the sandbox answers so */
export interface LiveReport<Answer> {
  account: string;
  steps: LiveStep[];
  answers: Answer[];
}

export interface LiveObserver {
  /** Called with each exchange. */
  observe?: Context['observe'];
  /** Called after each step. */
  tell?(step: LiveStep): void;
}

/** Does steps one after the other; one that fails keeps none of the others from being done. */
export class LiveSteps {
  readonly done: LiveStep[] = [];
  readonly #tell: LiveObserver['tell'];

  constructor({ tell }: LiveObserver) {
    this.#tell = tell;
  }

  /** @param work says what it found; it fails by what it throws */
  async do(step: string, work: () => Promise<string>): Promise<void> {
    const done = await work().then(
      (detail) => ({ step, ok: true, detail }),
      (thrown: unknown) => ({ step, ok: false, detail: messageOf(thrown) }),
    );
    this.done.push(done);
    this.#tell?.(done);
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** A context of its own for each call, without shared memory. @param within milliseconds of each */
export function contextsFor({ observe }: LiveObserver, within: number, pools: Pools = {}): () => Context {
  return () => makeMemoryContext(makeMemoryCommons(pools), { within, observe });
}

/** Called with each record that was made, so that it can be taken off again. */
export type NoteMade = (object: string, id: string) => void;

/** What an outcome left, as `person 17, call_log 18`. @throws why it was not written */
export function recordsOf(outcome: WriteOutcome | undefined, note: NoteMade): string {
  if (!outcome) throw new Error('no outcome');
  if (!outcome.ok) throw new Error(`${outcome.failure.message} ${outcome.failure.hint ?? ''}`);
  for (const { object, id } of outcome.receipt.records) note(object, id);
  return outcome.receipt.records.map(({ name, id }) => `${name} ${id}`).join(', ');
}

/** Writes a plan, and once more as a retry would. @throws where the two leave different records */
export async function writeTwice(
  destination: Destination,
  plan: Plan,
  note: NoteMade,
  context: () => Context,
): Promise<string> {
  const [first] = await destination.write([plan], context());
  const written = recordsOf(first, note);
  const [again] = await destination.write([{ ...plan, resume: { attempts: 1, records: {} } }], context());
  const rewritten = recordsOf(again, note);
  if (written !== rewritten) throw new Error(`first ${written}; then ${rewritten}`);
  const { requests = 0, notes = [] } = first?.ok ? first.receipt : {};
  return [written, `${requests} requests`, ...notes].join('; ');
}

/**
 * Runs it on the command line: prints what came of it, and writes down what the vendor answered, without what belongs to people.
 * @param vendor kind of the connection, and what it calls an account: `Account`
 * @param file for the exchanges; undefined: none is written
 */
export async function tryLive<Answer>(
  { kind, account: noun, file }: { kind: string; account: string; file: string | undefined },
  run: (observer: LiveObserver) => Promise<LiveReport<Answer>>,
  describe: (answers: Answer[]) => string,
): Promise<void> {
  const recorder = new ExchangeRecorder(kind);
  const tell = ({ step, ok, detail }: LiveStep) => console.log(`${ok ? 'ok    ' : 'FAILED'} ${step}\n       ${detail}`);
  try {
    const { account, steps, answers } = await run({ observe: recorder.observe, tell });
    const failed = steps.filter(({ ok }) => !ok).length;
    console.log(`\n${describe(answers)}`);
    console.log(`\n${noun} ${account}\n${steps.length - failed} of ${steps.length} steps are well.`);
    if (failed > 0) process.exitCode = 1;
  } catch (thrown) {
    console.error(messageOf(thrown));
    process.exitCode = 1;
  }
  const lines = recorder.lines().map((line) => `${line}\n`);
  if (file) writeFileSync(file, lines.join(''), { mode: 0o600 });
}
