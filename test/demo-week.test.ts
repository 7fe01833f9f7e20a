import { readHourlyStats } from '@wrapup/queue';
import { describe, expect, it } from 'vitest';
import { planWeek, runWeek } from '../scripts/demo/week.ts';

const DAY_MS = 86_400_000;
const dayOf = (at: number) => Math.floor(at / DAY_MS);

function perDay(counts: readonly (readonly [at: number, count: number])[]): Record<number, number> {
  const days: Record<number, number> = {};
  for (const [at, count] of counts) days[dayOf(at)] = (days[dayOf(at)] ?? 0) + count;
  return days;
}

describe('the demo’s week', () => {
  it.each(['2026-11-30T23:59:00Z', '2026-11-29T00:01:00Z', '2026-11-27T13:37:00Z'])(
    'is planned over seven days that end at %s, with every call',
    (text) => {
      const now = Date.parse(text);
      const moments = planWeek(2_000, now);
      expect(moments.reduce((sum, { calls }) => sum + calls, 0)).toBe(2_000);
      const times = moments.map(({ at }) => at);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times.at(-1)).toBeLessThan(now);
      const days = new Set(times.map(dayOf));
      expect(days.size).toBeGreaterThanOrEqual(6);
      expect(dayOf(now) - Math.min(...days)).toBe(6);
    },
  );

  it('has each call on the day on which it ended, in the counts too, and what went wrong beside it', async () => {
    const planned = perDay(planWeek(80, Date.now()).map(({ at, calls }) => [at, calls]));
    const demo = await runWeek(80, () => {});
    try {
      const { redis, keys, unresolved } = demo.store;
      const until = Date.now();
      const range = { clients: [undefined, 'acme', 'bolt'], from: until - 8 * DAY_MS, until };
      const { calls } = await readHourlyStats(redis, keys, range);
      expect(perDay(calls.map(({ hour, count }) => [hour, count]))).toEqual(planned);
      // The first whom each source calls is in its CRM twice.
      expect(await unresolved.count('parked')).toBeGreaterThanOrEqual(3);
    } finally {
      await demo.close();
    }
  });
});
