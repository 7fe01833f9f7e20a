import { expect, it } from 'vitest';
import { PendingArrivals } from '../src/deliveries/pending-arrivals.ts';

it('counts a call until it is routed, then its deliveries until each has its plan', () => {
  const pending = new PendingArrivals();
  const call = pending.call('main');
  expect([pending.count('sales'), pending.count('events')]).toEqual([1, 1]);
  call.routed(['sales']);
  call.ends();
  expect([pending.count('sales'), pending.count('events')]).toEqual([1, 0]);
  const planned = pending.delivery('sales');
  expect(pending.count('sales')).toBe(1);
  planned();
  planned();
  expect(pending.count('sales')).toBe(0);
});

it('does not have one client wait for the calls of another', () => {
  const pending = new PendingArrivals();
  const calls = [pending.call('acme.main'), pending.call('acme.second')];
  expect(['acme.sales', 'bolt.sales', 'sales'].map((name) => pending.count(name))).toEqual([2, 0, 0]);
  for (const call of calls) call.ends();
  expect(pending.count('acme.sales')).toBe(0);
});

it('counts deliveries that others sent, such as replays, only while they are planned here', () => {
  const pending = new PendingArrivals();
  const planned = [pending.delivery('sales'), pending.delivery('sales')];
  expect(pending.count('sales')).toBe(2);
  for (const one of planned) one();
  expect(pending.count('sales')).toBe(0);
});

it('does not expect for long what another worker took', async () => {
  const pending = new PendingArrivals();
  const call = pending.call('main');
  call.routed(['sales']);
  while (pending.count('sales') > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
