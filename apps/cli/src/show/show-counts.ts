/** What looking for calls came to, for people. */
import { formatDuration } from '@wrapup/config';
import type { CallCounts, RunProblem } from '@wrapup/recovery';
import { clean } from '../terminal/clean.ts';
import { count, type Output } from '../terminal/output.ts';

/** Why some of the listed calls were left alone. @param grace ms */
export function showCounts(
  { young, unfinished, unreadable }: CallCounts,
  output: Output,
  grace: number | undefined,
): void {
  if (young > 0) {
    const ended = grace === undefined ? 'ended just now' : `ended less than ${formatDuration(grace)} ago`;
    output.line(`  ${count(young, 'call')} ${ended}: the webhook may still come`);
  }
  if (unfinished > 0) output.line(`  ${count(unfinished, 'call')} still going on, by what Synthflow says`);
  if (unreadable > 0) output.line(`  ${count(unreadable, 'webhook')} without a call id of a known shape, or gone`);
}

export function showProblems(troubles: RunProblem[], output: Output): void {
  for (const { agent, call_id, code, message, hint } of troubles) {
    const where = [agent && `agent ${agent}`, call_id && `call ${call_id}`].filter(Boolean).join(', ');
    const line = `${where ? `${clean(where)}: ` : ''}${clean(message)} [${clean(code)}]`;
    output.line(`  ${output.style('yellow', line)}`);
    if (hint) output.line(`    ${clean(hint, 400)}`);
  }
}
