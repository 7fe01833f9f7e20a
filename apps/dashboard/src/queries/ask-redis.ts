import type { Store } from '@wrapup/queue';

/** Redis cannot be asked now. Pages answer 503 and work again by themselves when it is back. */
export class Unavailable extends Error {
  override name = 'Unavailable';

  /** It answers, and takes nothing more: it is over its memory limit. */
  get isFull(): boolean {
    return this.cause instanceof Error && this.cause.message.startsWith('OOM ');
  }
}

/**
 * Asks Redis something. Settles within the connection's time-out whatever Redis does.
 * @throws Unavailable
 */
export async function ask<Answer>(store: Store, question: () => Promise<Answer>): Promise<Answer> {
  if (store.redis.status !== 'ready') throw new Unavailable(`the connection to Redis is ${store.redis.status}`);
  try {
    return await question();
  } catch (error) {
    throw new Unavailable('Redis did not answer', { cause: error });
  }
}
