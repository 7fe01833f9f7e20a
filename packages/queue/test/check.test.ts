import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../test/support/redis.ts';
import { adviseRedis } from '../src/index.ts';

async function adviceOf(args: string[]): Promise<string[]> {
  const server = await startRedis({ appendonly: false, args });
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  return adviseRedis(redis);
}

// Redis before 7 knows the setting by another name.
describe.skipIf(inject('redisServer').major < 7)('what a Redis is advised to set', () => {
  it('is the size up to which hash fields are packed, where it is the usual one', async () => {
    expect(await adviceOf(['--hash-max-listpack-value', '64'])).toEqual([
      expect.stringMatching(/up to 64 bytes only.* set hash-max-listpack-value 1024\.$/),
    ]);
  });

  it('is nothing where Wrapup set it', async () => {
    expect(await adviceOf([])).toEqual([]);
  });
});
