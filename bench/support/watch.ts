import { Redis } from 'ioredis';

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @throws Error when it does not come true within so many ms */
export async function comesTrue(holds: () => boolean | Promise<boolean>, within: number, every = 5): Promise<void> {
  const until = Date.now() + within;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`did not come true within ${within} ms`);
    await pause(every);
  }
}

/** Bytes of Redis: by default what its data takes, without its own overhead and what clients hold. */
export async function redisBytes(
  url: string,
  of: 'used_memory_dataset' | 'used_memory' = 'used_memory_dataset',
): Promise<number> {
  const client = new Redis(url);
  try {
    return Number(new RegExp(`${of}:(\\d+)`).exec(await client.info('memory'))?.[1]);
  } finally {
    client.disconnect();
  }
}

/** Does a thing with each, so many at once. */
export async function eachOf<T>(items: readonly T[], atOnce: number, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await act(next);
    }),
  );
}
