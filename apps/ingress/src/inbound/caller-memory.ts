import { createHmac } from 'node:crypto';
import { own } from '@wrapup/call';
import type { Connection, Inbound } from '@wrapup/config';
import type { Context, PersonAnswer } from '@wrapup/destination';
import { callerMemory } from '@wrapup/queue';

/** The CRM's answer for a number. Several people identify none, but differ from none: no rule may be decided by it. */
export type CallerAnswer = PersonAnswer | { found: 'many' };

/** How long an answer counts: people change slowly, but a missing person may be created at any moment. */
const KEEP_MS = { one: 10 * 60_000, none: 60_000, many: 60_000 } as const;

/** What an answer is stored for. */
export interface CallerQuestion {
  /** Name in `ctx.memory`: made of the number alone, so that it is found when the person is forgotten. */
  name: string;
  /** The account and the properties that were asked for: an answer to another question does not count. */
  question: string;
}

export function questionOf(connection: Connection, reads: Inbound['reads'], phone: string): CallerQuestion {
  const question = createHmac('sha256', JSON.stringify(connection.settings)).update(JSON.stringify(reads));
  return { name: callerMemory(phone), question: question.digest('base64url').slice(0, 22) };
}

/** Returns an answer that still counts. One that cannot be read counts as none. */
export async function readAnswer(ctx: Context, { name, question }: CallerQuestion): Promise<CallerAnswer | undefined> {
  const text = await ctx.memory.get(name);
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as { question: string; answer: CallerAnswer };
    return kept.question === question && Object.hasOwn(KEEP_MS, kept.answer.found) ? kept.answer : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stores of an answer only what is given to the agent, and nothing of one in which something could not be read.
 * @param found what the CRM found: an operator who chose one of several may choose another at any moment
 */
export async function storeAnswer(
  ctx: Context,
  { name, question }: CallerQuestion,
  answer: CallerAnswer,
  { reads, found }: { reads: Inbound['reads']; found: CallerAnswer['found'] },
): Promise<void> {
  if (!isWhole(answer, reads)) return;
  await ctx.memory.set(name, JSON.stringify({ question, answer: reduceAnswer(answer, reads) }), KEEP_MS[found]);
}

/** Whether all records that are read along could be read. */
function isWhole(answer: CallerAnswer, { related, open = {} }: Inbound['reads']): boolean {
  if (answer.found !== 'one') return true;
  const { person } = answer;
  const hasAll = (wanted: object, read: object) => Object.keys(wanted).every((name) => Object.hasOwn(read, name));
  // A destination that reads no lists answers without any, however often it is asked.
  return (person.related === undefined || hasAll(related, person.related)) && hasAll(open, person.open ?? {});
}

/** The answer without properties that were not asked for: adapters read some for their own use. */
export function reduceAnswer(answer: CallerAnswer, reads: Inbound['reads']): CallerAnswer {
  if (answer.found === 'none') return { found: 'none' };
  if (answer.found === 'many') return { found: 'many' };
  const { object, id, properties, related, open } = answer.person;
  const kept = reads.properties.flatMap((name) => {
    const value = own(properties, name);
    return value === undefined || value === null || value === '' ? [] : [[name, value] as const];
  });
  return {
    found: 'one',
    by: answer.by,
    person: { object, id, properties: Object.fromEntries(kept), ...(related && { related }), ...(open && { open }) },
  };
}
