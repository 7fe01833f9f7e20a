import { expect, test } from 'vitest';
import { withDeadline } from '../src/index.ts';

const late = () => new Error('late');
const never = () => new Promise<never>(() => {});

test('gives the result, or the failure, of work that ends in time', async () => {
  expect(await withDeadline(Promise.resolve(7), 1_000, late)).toBe(7);
  await expect(withDeadline(Promise.reject(new Error('own')), 1_000, late)).rejects.toThrow('own');
});

test('ends with the deadline, or with the signal, whichever comes first', async () => {
  await expect(withDeadline(never(), 5, late)).rejects.toThrow('late');
  await expect(withDeadline(never(), -5, late)).rejects.toThrow('late');
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped')), 5);
  await expect(withDeadline(never(), 60_000, late, stop.signal)).rejects.toThrow('stopped');
});

test('ends at once with a signal that is aborted already', async () => {
  await expect(withDeadline(never(), 60_000, late, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
});
