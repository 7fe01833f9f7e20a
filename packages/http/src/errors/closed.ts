/**
 * An endpoint that refuses everything (410, 401) is left alone for a while by all processes, and its calls wait. Another
 * url or other credentials lift that at once.
 */
import { createHash } from 'node:crypto';
import { type Context, Failure, type FailureCode, type Next } from '@wrapup/destination';
import type { HttpSettings } from '../endpoint/settings.ts';

interface Closed {
  code: FailureCode;
  next: Next;
  message: string;
  hint?: string;
  status?: number;
}

function keyOf({ url, method, headers, secret }: HttpSettings): string {
  const hash = createHash('sha256').update(JSON.stringify([url, method, headers, secret]));
  return `closed:${hash.digest('hex').slice(0, 32)}`;
}

/** @param ms how long */
export async function close(ctx: Context, settings: HttpSettings, failure: Failure, ms: number): Promise<void> {
  const { code, next, message, details } = failure;
  const closed: Closed = {
    code,
    next,
    message,
    ...(details.hint ? { hint: details.hint } : {}),
    ...(details.status === undefined ? {} : { status: details.status }),
  };
  await ctx.memory.set(keyOf(settings), JSON.stringify(closed), ms);
}

/** Why nothing may be sent now, or undefined. */
export async function closedBy(ctx: Context, settings: HttpSettings): Promise<Failure | undefined> {
  const text = await ctx.memory.get(keyOf(settings));
  if (text === undefined) return undefined;
  const { code, message, ...details } = JSON.parse(text) as Closed;
  return new Failure(code, message, details);
}
