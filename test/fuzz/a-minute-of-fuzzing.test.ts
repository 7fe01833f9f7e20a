/** A minute of `npm run fuzz`, from the same seed each time. */
import { expect, it } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { fuzz } from './fuzz.ts';

const SECONDS = 60;

it('hostile requests end no process, pass no memory limit and keep no valid webhook out', async () => {
  const redis = await startRedis();
  try {
    const { broken, requests, valid } = await fuzz({ seconds: SECONDS, seed: 11, redis: redis.url });
    expect(broken).toEqual([]);
    // Else it proves nothing.
    expect(requests).toBeGreaterThan(20);
    expect(valid).toBeGreaterThan(5);
  } finally {
    await redis.stop();
  }
});
