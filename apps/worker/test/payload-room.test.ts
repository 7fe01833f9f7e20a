import { Failure } from '@wrapup/destination';
import { describe, expect, it } from 'vitest';
import { PayloadRoom } from '../src/payloads/payload-room.ts';

const MB = 1024 * 1024;
const held = () => Promise.withResolvers<void>();

describe('large payloads', () => {
  it('share the room; one that finds none comes again, and its attempt is not counted', async () => {
    const room = new PayloadRoom(32 * MB);
    const [first, second] = [held(), held()];
    const works = [room.hold(20 * MB, () => first.promise), room.hold(12 * MB, () => second.promise)];
    const refused = await room.hold(MB, async () => 'done').catch((error) => error);
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ code: 'busy', next: 'throttle' });
    second.resolve();
    await works[1];
    expect(await room.hold(MB, async () => 'done')).toBe('done');
    first.resolve();
    await works[0];
    expect(room.taken).toBe(0);
  });

  it('one that is larger than the room is let in alone, and a small one always', async () => {
    const room = new PayloadRoom(32 * MB);
    const large = held();
    const work = room.hold(100 * MB, () => large.promise);
    await expect(room.hold(24 * MB, async () => {})).rejects.toMatchObject({ code: 'busy' });
    expect(await room.hold(8_000, async () => 'done')).toBe('done');
    large.resolve();
    await work;
  });

  it('are counted by their values, too: many small ones take more than their bytes', async () => {
    const room = new PayloadRoom(32 * MB);
    const dense = held();
    const work = room.hold(750_000, async (claim) => {
      claim(250_000);
      await dense.promise;
    });
    expect(room.taken).toBeGreaterThan(15 * MB);
    await expect(room.hold(20 * MB, async () => {})).rejects.toMatchObject({ code: 'busy' });
    const other = room.hold(8 * MB, async (claim) => claim(250_000));
    await expect(other).rejects.toMatchObject({ code: 'busy' });
    dense.resolve();
    await work;
    expect(room.taken).toBe(0);
  });
});
