/**
 * Loaded into a process before all else (`--import`): its clock and what it learns of names follow the file that
 * WRAPUP_FAULTS_WORLD names, `{"clock": <ms by which it is ahead>, "no_names": true}`. What counts time from its start, timers
 * and `performance.now()`, is as it is: a clock that is set does not move that either.
 */
import dns from 'node:dns';
import { readFileSync } from 'node:fs';

const FILE = process.env.WRAPUP_FAULTS_WORLD ?? '';
const LOOK_EVERY_MS = 50;

let world = { clock: 0, no_names: false };
function look() {
  try {
    world = JSON.parse(readFileSync(FILE, 'utf8'));
  } catch {
    // It is being written.
  }
}
look();
setInterval(look, LOOK_EVERY_MS).unref();

const RealDate = Date;
class ShiftedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + world.clock);
    else super(...given);
  }

  static now() {
    return RealDate.now() + world.clock;
  }
}
// `Date()` without `new` is a text.
globalThis.Date = new Proxy(ShiftedDate, { apply: () => new ShiftedDate().toString() });

/** The only name that processes of a run are given of another: all else are addresses. */
const NAME = 'localhost';
const { lookup } = dns;
dns.lookup = (host, options, answer) => {
  const done = typeof options === 'function' ? options : answer;
  if (host !== NAME || !world.no_names) return lookup(host, options, answer);
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
    ...{ code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname: host },
  });
  process.nextTick(done, error);
};
