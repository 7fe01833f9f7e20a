import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { collectBody } from '../src/body/collect-body.ts';
import { InFlight, type Share, SMALL_BODY_BYTES, shareOut } from '../src/body/in-flight.ts';
import { HttpProblem } from '../src/http/http-problem.ts';

const KB = 1024;
const LIMITS = { all: 4_000 * KB, large: 2_000 * KB, unproved: 1_000 * KB, address: 500 * KB, call: 300 * KB };

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
    expect(() => first.take(1)).toThrow(HttpProblem);
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
    proved.prove('one');
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

  it('of one call is made at the expense of its oldest body that still comes, and of no other call', () => {
    const all = new InFlight(LIMITS);
    const other = open(all, 'a');
    other.prove('y');
    other.take(200 * KB);
    const same = [0, 1, 2, 3].map(() => open(all, 'a'));
    for (const one of same) {
      one.prove('x');
      one.take(100 * KB);
    }
    expect([other, ...same].map(({ why }) => why)).toEqual([undefined, 'busy', undefined, undefined, undefined]);
    expect(all.used).toBe(500 * KB);
    // What has come whole is not given up.
    for (const one of same) one.arrived();
    const next = open(all, 'a');
    next.prove('x');
    next.take(250 * KB);
    expect(same.map(({ why }) => why)).toEqual(['busy', undefined, undefined, undefined]);
  });

  it('is for one large body of a call at a time, in their order', async () => {
    const all = new InFlight({ ...LIMITS, call: LIMITS.all });
    const order: string[] = [];
    const begin = (name: string, call = 'x') => {
      const share = open(all, 'a');
      share.prove(call);
      share.take(200 * KB);
      const placed = share.place(SMALL_BODY_BYTES)?.then(() => void order.push(name));
      return { share, placed };
    };
    const [first, second, gone, third] = ['first', 'second', 'gone', 'third'].map((name) => begin(name));
    const elsewhere = begin('elsewhere', 'y');
    await Promise.all([first?.placed, elsewhere.placed]);
    expect(order).toEqual(['first', 'elsewhere']);
    expect(first?.share.place(SMALL_BODY_BYTES)).toBeUndefined();
    gone?.share.release();
    first?.share.release();
    await second?.placed;
    expect(order).toEqual(['first', 'elsewhere', 'second']);
    second?.share.release();
    await third?.placed;
    third?.share.release();
    await begin('later').placed;
    expect(order.slice(-2)).toEqual(['third', 'later']);
  });

  it('is taken without a turn by what is small, unproved, or proved by a path token', () => {
    const all = new InFlight(LIMITS);
    const [small, stranger, token] = [open(all, 'a'), open(all, 'a'), open(all, 'a', true)];
    small.prove('x');
    expect([small.place(10 * KB), stranger.place(SMALL_BODY_BYTES), token.place(SMALL_BODY_BYTES)]).toEqual(
      Array(3).fill(undefined),
    );
  });

  it('is given back once, and all of it', () => {
    const all = new InFlight(LIMITS);
    const shares = [open(all, 'a'), open(all, 'a', true), open(all, 'b')];
    for (const share of shares) share.take(300 * KB);
    shares[2]?.prove('one');
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
      share.prove('one');
      share.take(largest - share.bytes);
    }
  });
});

describe('a sender', () => {
  /** A request that a test fills, and whose reading it can stop. */
  function begin() {
    let now = 0;
    const all = new InFlight(LIMITS, () => now);
    const request = Object.assign(new PassThrough(), {
      headers: { 'content-encoding': 'gzip' } as Record<string, string>,
      complete: false,
    });
    const share = all.open('a', true);
    const body = collectBody(request as unknown as IncomingMessage, { limit: LIMITS.all, share }).then(
      (bytes) => bytes.toString(),
      (error: HttpProblem) => error.code,
    );
    return {
      request,
      share,
      body,
      pass(seconds: number) {
        for (let half = 0; half < 2 * seconds; half += 1) {
          now += 500;
          all.giveUpSlow();
        }
      },
      /** The event loop comes back late, once. */
      stall(seconds: number) {
        now += seconds * 1_000;
        all.giveUpSlow();
      },
    };
  }
  const packed = gzipSync('"some small body"');

  it('is not slow while what it sent is not read: its body came whole, and waits for us', async () => {
    const { request, share, body, pass } = begin();
    request.pause();
    request.complete = true;
    request.end(packed);
    pass(600);
    request.resume();
    expect(await body).toBe('"some small body"');
    share.release();
  });

  it('is not slow while a part that it sent is not read, nor for the time in which we did nothing', async () => {
    const { request, body, pass, stall } = begin();
    request.pause();
    request.write(packed.subarray(0, 12));
    pass(600);
    stall(600);
    request.resume();
    await expect.poll(() => request.readableLength).toBe(0);
    request.complete = true;
    request.end(packed.subarray(12));
    expect(await body).toBe('"some small body"');
  });

  it('is slow when all that it sent is read and nothing more comes', async () => {
    const { request, body, pass } = begin();
    request.pause();
    request.write(packed.subarray(0, 12));
    pass(600);
    let ended: string | undefined;
    void body.then((what) => {
      ended = what;
    });
    await setImmediate();
    expect(ended).toBeUndefined();
    request.resume();
    // It is awaited once the decompressor, in a thread of its own, has had it all.
    await expect
      .poll(() => {
        pass(60);
        return ended;
      })
      .toBe('too-slow');
  });
});
