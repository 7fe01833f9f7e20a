import { describe, expect, it } from 'vitest';
import { WriteBatcher } from '../src/intake/write-batcher.ts';

/** Commands that end when the test says so. */
function openBatcher(options: { max_items?: number; max_bytes?: number; max_wait_ms?: number } = {}) {
  const commands: { items: string[]; end(answers?: (string | Error)[]): void; fail(error: Error): void }[] = [];
  const batcher = new WriteBatcher<string, string>({
    max_items: 100,
    max_bytes: 1_000_000,
    max_wait_ms: 60_000,
    ...options,
    sizeOf: (item) => item.length,
    run: (items) =>
      new Promise((resolve, reject) => {
        commands.push({ items, end: (answers = items) => resolve(answers), fail: reject });
      }),
  });
  return { batcher, commands, sent: () => commands.map(({ items }) => items.join(' ')) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('gathering', () => {
  it('sends what comes in one turn of the event loop at its end, together', async () => {
    const { batcher, commands, sent } = openBatcher();
    const all = Promise.all([batcher.add('a'), batcher.add('b')]);
    expect(sent()).toEqual([]);
    await turn();
    expect(sent()).toEqual(['a b']);
    commands[0]?.end();
    expect(await all).toEqual(['a', 'b']);
  });

  it('keeps what comes during a command for the next one', async () => {
    const { batcher, commands, sent } = openBatcher();
    const first = batcher.add('a');
    await turn();
    const rest = Promise.all([batcher.add('b'), turn().then(() => batcher.add('c'))]);
    await turn();
    await turn();
    expect(sent()).toEqual(['a']);
    commands[0]?.end();
    await first;
    await turn();
    expect(sent()).toEqual(['a', 'b c']);
    commands[1]?.end();
    expect(await rest).toEqual(['b', 'c']);
  });

  it('waits no longer than it may for a command that does not end', async () => {
    const { batcher, commands } = openBatcher({ max_wait_ms: 5 });
    void batcher.add('a');
    await turn();
    const second = batcher.add('b');
    while (commands.length < 2) await turn();
    commands[1]?.end();
    expect(await second).toBe('b');
  });

  it('puts no more into a command than it may, by number and by bytes', async () => {
    const { batcher, sent } = openBatcher({ max_items: 2, max_bytes: 10 });
    for (const item of ['a', 'b', 'c', '12345678', '9012345678901', 'd']) void batcher.add(item);
    await turn();
    expect(sent()).toEqual(['a b', 'c 12345678', '9012345678901']);
  });

  it('lets each have its own answer, also an error, and all of them that of their command', async () => {
    const { batcher, commands } = openBatcher();
    const one = Promise.allSettled([batcher.add('a'), batcher.add('b'), batcher.add('c')]);
    await turn();
    commands[0]?.end(['A', new Error('not this one')]);
    expect(await one).toEqual([
      { status: 'fulfilled', value: 'A' },
      { status: 'rejected', reason: new Error('not this one') },
      { status: 'rejected', reason: new Error('No answer came for this one') },
    ]);
    const other = Promise.allSettled([batcher.add('d'), batcher.add('e')]);
    await turn();
    commands[1]?.fail(new Error('Redis is away'));
    expect((await other).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    void batcher.add('f');
    await turn();
    expect(commands[2]?.items).toEqual(['f']);
  });
});
