import { createHmac } from 'node:crypto';
import type { Connection, Inbound } from '@wrapup/config';
import type { Context, PersonAnswer } from '@wrapup/destination';
import { callerMemory } from '@wrapup/queue';

/** What the CRM said of a number. Several people are as good as nobody, but not the same: no rule may be decided by it. */
export type Answer = PersonAnswer | { found: 'many' };

/** How long an answer counts, in ms: people change slowly, but who is unknown may be created any moment. */
const KEPT = { one: 10 * 60_000, none: 60_000, many: 60_000 } as const;

/** What an answer is remembered for. */
export interface Caller {
  /** Name in `ctx.memory`: made of the number alone, so that it is found when the person is forgotten. */
  name: string;
  /** The account and the properties that were asked for: an answer to another question does not count. */
  question: string;
}

export function callerOf(connection: Connection, reads: Inbound['reads'], phone: string): Caller {
  const question = createHmac('sha256', JSON.stringify(connection.settings)).update(JSON.stringify(reads));
  return { name: callerMemory(phone), question: question.digest('base64url').slice(0, 22) };
}

/** An answer that still counts. What cannot be read is as good as nothing. */
export async function recallAnswer(ctx: Context, { name, question }: Caller): Promise<Answer | undefined> {
  const text = await ctx.memory.get(name);
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as { question: string; answer: Answer };
    return kept.question === question && Object.hasOwn(KEPT, kept.answer.found) ? kept.answer : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps of an answer only what the agent is told. */
export async function rememberAnswer(
  ctx: Context,
  { name, question }: Caller,
  answer: Answer,
  reads: Inbound['reads'],
): Promise<void> {
  await ctx.memory.set(name, JSON.stringify({ question, answer: reduceAnswer(answer, reads) }), KEPT[answer.found]);
}

/** Without properties that nobody asked for: adapters read some for themselves. */
export function reduceAnswer(answer: Answer, reads: Inbound['reads']): Answer {
  if (answer.found === 'none') return { found: 'none' };
  if (answer.found === 'many') return { found: 'many' };
  const { object, id, properties, related } = answer.person;
  const kept = reads.properties.flatMap((name) => {
    const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return value === undefined || value === null || value === '' ? [] : [[name, value] as const];
  });
  return {
    found: 'one',
    by: answer.by,
    person: { object, id, properties: Object.fromEntries(kept), ...(related && { related }) },
  };
}
