import { type Connection, DestinationPool, withDestination } from '@wrapup/config';
import { type Destination, makeMemoryCommons } from '@wrapup/destination';
import { expect, test } from 'vitest';

const connection = (url: string): Connection => ({
  ...{ name: 'events', kind: 'http' },
  settings: { url, secret: [], headers: {}, timeout: 1_000, allow_private: false },
});

function pool() {
  const opened: Destination[] = [];
  const reopened: string[] = [];
  const made = new DestinationPool<number>({
    attach: (_, destination) => opened.push(destination),
    closeAfter: 1,
    onReopen: (name) => reopened.push(name),
  });
  return { pool: made, opened, reopened };
}

test('a connection is opened once, and again when its settings change', async () => {
  const { pool: destinations, opened, reopened } = pool();
  const [first, second] = await Promise.all([
    destinations.get(connection('https://one.example')),
    destinations.get(connection('https://one.example')),
  ]);
  expect(second).toBe(first);
  const changed = await destinations.get(connection('https://two.example'));
  expect([first.attached, changed.attached]).toEqual([1, 2]);
  expect(opened).toHaveLength(2);
  expect(reopened).toEqual(['events']);
  await destinations.close();
});

test('for work that comes seldom an open destination is used, and another one is closed again', async () => {
  const { pool: destinations, opened } = pool();
  const closed: number[] = [];
  const once = () =>
    destinations.once(connection('https://one.example'), async ({ destination, attached }) => {
      const { close } = destination;
      destination.close = async () => {
        closed.push(attached);
        await close.call(destination);
      };
      return attached;
    });
  expect([await once(), await once()]).toEqual([1, 2]);
  expect(closed).toEqual([1, 2]);
  const { attached } = await destinations.get(connection('https://one.example'));
  expect(await once()).toBe(attached);
  expect(closed).toEqual([1, 2]);
  expect(opened).toHaveLength(3);
  await destinations.close();
});

test('one that was not asked for is closed when another is opened, and opened again for the next call', async () => {
  const made = new DestinationPool<object>({ attach: () => ({}), closeAfter: 1, restAfter: 20 });
  const quiet = { ...connection('https://one.example'), name: 'quiet' };
  const before = await made.get(quiet);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await made.get(connection('https://two.example'));
  expect(made.names).toEqual(['events']);
  expect(await made.get(quiet)).not.toBe(before);
  await made.close();
});

test('one that cannot be opened is tried again by the next', async () => {
  const { pool: destinations } = pool();
  const unknown = { ...connection('https://one.example'), kind: 'constructor' };
  for (const _ of [1, 2]) await expect(destinations.get(unknown)).rejects.toMatchObject({ code: 'mapping' });
  expect((await destinations.get(connection('https://one.example'))).attached).toBe(1);
  await destinations.close();
});

test('for one piece of work a destination is opened and closed, also when the work fails', async () => {
  const { secrets } = makeMemoryCommons();
  const work = withDestination(connection('https://one.example'), { secrets }, async (destination, context) => {
    expect(destination).toHaveProperty('preview');
    expect(context(500).deadline - Date.now()).toBeLessThanOrEqual(500);
    throw new Error('of the work');
  });
  await expect(work).rejects.toThrow('of the work');
});
