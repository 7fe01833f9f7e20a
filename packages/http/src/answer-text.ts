/** What an endpoint answered, as far as it is kept and shown. */
import { scrub } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { maskEcho } from './mask-echo.ts';
import type { HttpSettings } from './settings.ts';

/** Bytes of an answer that are kept. */
export const KEPT = 2_048;

/** What endpoints say of themselves: it stays, though some part of a call says it too. */
const COMMON = ['true', 'false', 'null', 'none', 'yes', 'success', 'successful', 'completed', 'failed', 'error'].concat(
  ['received', 'accepted', 'queued', 'created', 'status', 'message', 'event', 'invalid', 'missing'],
);

/** The beginning of the answer without anything that was sent, numbers, addresses or control characters. */
export function showAnswer(text: string, plan: Plan, body: unknown, settings: HttpSettings): string {
  if (text.trim() === '') return '';
  const { call } = plan;
  const names = [call.lead.name, call.lead.first_name, call.lead.last_name, call.agent.name];
  const words = [...names.filter((name) => name !== undefined), ...secretsOf(settings)];
  const { status, outcome, answered_by, end_reason, direction, id, source } = call;
  const own = [status, outcome, answered_by, end_reason, direction ?? '', id, source];
  const keep = [...COMMON, ...own.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u))];
  const masked = maskEcho(text, { texts: stringsIn(body), words, keep });
  return scrub(plain(masked), KEPT);
}

/** Without recursion: payloads may be nested deeper than the stack. */
function stringsIn(value: unknown): string[] {
  const strings: string[] = [];
  const open = [value];
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next === 'string') strings.push(next);
    else if (typeof next === 'object' && next !== null) open.push(...Object.values(next));
  }
  return strings;
}

/** What in the settings must not be shown: the endpoint's address often is its only secret. */
function secretsOf({ url, headers, secret }: HttpSettings): string[] {
  const { pathname, search } = new URL(url);
  return [pathname, search, ...Object.values(headers), ...secret];
}

/** On one line, without what a terminal or a log would act upon. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}
