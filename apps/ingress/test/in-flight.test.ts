import { describe, expect, it } from 'vitest';
import { InFlight, type Share, shareOut } from '../src/in-flight.ts';
import { Refusal } from '../src/refusal.ts';

const KB = 1024;
const LIMITS = { all: 4_000 * KB, large: 2_000 * KB, unproved: 1_000 * KB, address: 500 * KB };

interface Watched extends Share {
  why?: string;
}

function open(all: InFlight, address: string, proved = false): Watched {
  const share: Watched = all.open(address, proved);
  share.onGivenUp = (why) => {
    share.why = why.code;
  };
  return share;
}

describe('room for bodies', () => {
  it('of one address is made at the expense of its oldest unproved body', () => {
    const all = new InFlight(LIMITS);
    const other = open(all, 'b');
    other.take(100 * KB);
    const [first, second, third] = [open(all, 'a'), open(all, 'a'), open(all, 'a')];
    first.take(200 * KB);
    second.take(200 * KB);
    third.take(200 * KB);
    expect([first.why, second.why, third.why, other.why]).toEqual(['busy', undefined, undefined, undefined]);
    expect(all.used).toBe(500 * KB);
    expect(() => first.take(1)).toThrow(Refusal);
  });

  it('of all strangers is made at the expense of the address that holds most', () => {
    const all = new InFlight(LIMITS);
    const light = open(all, 'light');
    light.take(50 * KB);
    const heavy = Array.from({ length: 5 }, () => open(all, 'heavy'));
    for (const one of heavy) one.take(90 * KB);
    const others = ['c', 'd'].map((address) => open(all, address));
    for (const one of others) one.take(240 * KB);
    open(all, 'e').take(30 * KB);
    expect(light.why).toBeUndefined();
    expect(heavy.map(({ why }) => why)).toEqual(['busy', undefined, undefined, undefined, undefined]);
  });

  it('is not made at the expense of a proved one', () => {
    const all = new InFlight(LIMITS);
    const [proved, token] = [open(all, 'a'), open(all, 'a', true)];
    proved.take(400 * KB);
    proved.prove();
    token.take(400 * KB);
    const stranger = open(all, 'a');
    stranger.take(400 * KB);
    open(all, 'a').take(400 * KB);
    expect([proved.why, token.why, stranger.why]).toEqual([undefined, undefined, 'busy']);
    expect(all.unproved).toBe(400 * KB);
  });

  it('is left for small bodies when large ones have used up theirs', () => {
    const all = new InFlight(LIMITS);
    const large = Array.from({ length: 4 }, () => open(all, 'a', true));
    for (const one of large) one.take(500 * KB);
    expect(() => open(all, 'b', true).take(300 * KB)).toThrow(/Too many bytes/);
    const growing = open(all, 'b', true);
    growing.take(200 * KB);
    expect(() => growing.take(100 * KB)).toThrow(/Too many bytes/);
    for (let index = 0; index < 9; index += 1) open(all, 'b', true).take(200 * KB);
    large[0]?.release();
    growing.take(100 * KB);
  });

  it('is given back once, and all of it', () => {
    const all = new InFlight(LIMITS);
    const shares = [open(all, 'a'), open(all, 'a', true), open(all, 'b')];
    for (const share of shares) share.take(300 * KB);
    shares[2]?.prove();
    for (const share of [...shares, ...shares]) share.release();
    expect([all.used, all.unproved]).toEqual([0, 0]);
    for (let index = 0; index < 6; index += 1) open(all, 'c', true).take(300 * KB);
  });

  it('is enough for the largest body, however little there is', () => {
    for (const [limit, largest] of [
      [128 * KB * KB, 25 * KB * KB],
      [100_000, 100_000],
      [KB, 10],
    ] as const) {
      const share = open(new InFlight(shareOut(limit, largest)), 'a');
      share.take(Math.min(largest, KB * KB));
      share.prove();
      share.take(largest - share.bytes);
    }
  });
});
