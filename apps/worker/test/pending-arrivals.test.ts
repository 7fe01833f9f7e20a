import { expect, it } from 'vitest';
import { Coming } from '../src/deliveries/pending-arrivals.ts';

it('counts a call until it is routed, then its deliveries until each has its plan', () => {
  const coming = new Coming();
  const reading = coming.call();
  expect([coming.to('sales'), coming.to('events')]).toEqual([1, 1]);
  reading.sends('sales');
  reading.ends();
  reading.ends();
  expect([coming.to('sales'), coming.to('events')]).toEqual([1, 0]);
  const planned = coming.delivery('sales');
  expect(coming.to('sales')).toBe(1);
  planned();
  planned();
  expect(coming.to('sales')).toBe(0);
});

it('counts deliveries that others sent, such as replays, only while they are planned here', () => {
  const coming = new Coming();
  const planned = [coming.delivery('sales'), coming.delivery('sales')];
  expect(coming.to('sales')).toBe(2);
  for (const one of planned) one();
  expect(coming.to('sales')).toBe(0);
});

it('does not expect for long what another worker took', async () => {
  const coming = new Coming();
  const reading = coming.call();
  reading.sends('sales');
  reading.ends();
  while (coming.to('sales') > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
