/** A run in words: who did what, and what went wrong. */
import type { Run } from './exploration.ts';
import type { LogEntry } from './world/world.ts';

/** What a request does, by what it is called in the log. What is in no row is left out, unless something goes wrong there. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^wrapupAccept/, 'keeps the call and adds its job'],
  [/^wrapupRoute$/, 'notes what the revision does, and opens the deliveries'],
  [/^wrapupAdd:/, 'adds a job'],
  [/^wrapupLease$/, 'takes a lease'],
  [/^wrapupLeaseKeep$/, 'renews or releases its lease'],
  [/^wrapupBegin$/, 'begins an attempt'],
  [/^wrapupRecordOutcome$/, 'notes the outcome'],
  [/^wrapupOverride$/, 'changes the delivery as the operator says'],
  [/^wrapupReopen$/, 'gives the stopped call another chance'],
  [/^wrapupStop$/, 'stops the call'],
  [/^wrapupWait$/, 'notes that the call waits'],
  [/^wrapupOperatorPause$/, 'notes what the operator wants of the connection'],
  [/^wrapupCircuitNote$/, 'notes what a batch said of the connection'],
  [/^wrapupCircuit/, 'notes how a probe or a trial went'],
  [/^pause:/, 'pauses or resumes the queue'],
  [/^moveToFinished/, 'ends the job'],
  [/^moveToDelayed/, 'delays the job'],
  [/^moveStalledJobsToWait/, 'looks for jobs of workers that died'],
  [/^zrem ledger-open/, 'closes the call'],
  [/^zadd ledger-open/, 'keeps the call open'],
  [/^[A-Z]+ .*\/(\w+)\/batch\/(\w+)$/, 'asks the CRM to $2 $1'],
  [/^[A-Z]+ .*\/(\w+)\/search$/, 'asks the CRM for $1'],
  [/^[A-Z]+ /, 'asks the CRM'],
];

/** What a worker does again and again, whatever there is to do. */
const ROUTINE = /^(?:moveStalledJobsToWait|pause:|zadd ledger-open)/;

/** @returns the sentences of the run, and what is broken in the end */
export function describeRun({ log, violations }: Run): string[] {
  const sentences = log.flatMap((entry) => sentenceOf(entry) ?? []);
  const merged: string[] = [];
  for (const [place, sentence] of sentences.entries()) {
    if (sentence === sentences[place - 1]) continue;
    const times = sentences.slice(place).findIndex((other) => other !== sentence);
    merged.push(times > 1 ? `${sentence}, ${times} times` : sentence);
  }
  return [...merged, ...violations.map((violation) => `BROKEN: ${violation}`)];
}

function sentenceOf({ who, what, call, trouble, digest }: LogEntry): string | undefined {
  const row = WORDS.find(([pattern]) => pattern.test(what));
  const isRequest = digest !== undefined || trouble === 'was sent before';
  if (isRequest && !trouble && (!row || ROUTINE.test(what))) return undefined;
  const does = row && isRequest ? (row[0].exec(what)?.[0] ?? what).replace(row[0], row[1]) : what;
  const subject = who ? `${who} ` : '';
  return `${subject}${isRequest ? does : what}${call ? ` (${call})` : ''}${trouble && isRequest ? `: ${trouble}` : ''}`;
}

/** Everything that happened, a line each. */
export function list({ log }: Run): string[] {
  return log.map(({ who, what, call, trouble, digest }, place) =>
    [place, who, what, call, trouble, digest].filter((part) => part !== undefined && part !== '').join('  '),
  );
}
