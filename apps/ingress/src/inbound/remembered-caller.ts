import { createHmac } from 'node:crypto';
import type { Connection, Inbound } from '@wrapup/config';
import type { Context, PersonAnswer } from '@wrapup/destination';

/** What the CRM said of a number. Several people are as good as nobody, but not the same: no rule may be decided by it. */
export type Answer = PersonAnswer | { found: 'many' };

/** How long an answer counts, in ms: people change slowly, but who is unknown may be created any moment. */
const KEPT = { one: 10 * 60_000, none: 60_000, many: 60_000 } as const;

/**
 * Under which name an answer is remembered. It does not show the number: without the connection's settings, which hold
 * its credentials, nobody can find out by trying. Other properties or another account make another name.
 */
export function nameOf(connection: Connection, reads: Inbound['reads'], phone: string): string {
  return `inbound:${createHmac('sha256', JSON.stringify(connection.settings))
    .update(JSON.stringify([phone, reads]))
    .digest('base64url')}`;
}

/** An answer that still counts. What cannot be read is as good as nothing. */
export async function recallAnswer(ctx: Context, name: string): Promise<Answer | undefined> {
  const text = await ctx.memory.get(name);
  if (text === undefined) return undefined;
  try {
    const answer = JSON.parse(text) as Answer;
    return Object.hasOwn(KEPT, answer.found) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps of an answer only what the agent is told. */
export async function rememberAnswer(
  ctx: Context,
  name: string,
  answer: Answer,
  reads: Inbound['reads'],
): Promise<void> {
  await ctx.memory.set(name, JSON.stringify(reduceAnswer(answer, reads)), KEPT[answer.found]);
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
