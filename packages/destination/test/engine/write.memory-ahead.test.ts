/** What a write asks of memory when it begins. */
import { expect, test } from 'vitest';
import { MemoryAhead } from '../../src/engine/write.ts';
import { makeMemoryCommons } from '../../src/index.ts';

const KEPT_MS = 60_000;

test('is asked at once, and each answer is given once: who asks again wants to know what it is now', async () => {
  const { memory } = makeMemoryCommons();
  const asked: string[] = [];
  const counting = {
    get: (key: string) => {
      asked.push(key);
      return memory.get(key);
    },
    set: memory.set.bind(memory),
    delete: memory.delete.bind(memory),
    digester: memory.digester.bind(memory),
  };
  await memory.set('a', 'first', KEPT_MS);
  const ahead = new MemoryAhead(counting, ['a', 'b', 'a']);
  expect(asked).toEqual(['a', 'b']);
  await memory.set('a', 'second', KEPT_MS);
  expect([await ahead.get('a'), await ahead.get('b')]).toEqual(['first', undefined]);
  expect(asked).toEqual(['a', 'b']);
  expect([await ahead.get('a'), await ahead.get('c')]).toEqual(['second', undefined]);
  expect(asked).toEqual(['a', 'b', 'a', 'c']);
});

test.each(['set', 'delete'] as const)('what is %s is not answered as it was before', async (verb) => {
  const { memory } = makeMemoryCommons();
  await memory.set('a', 'before', KEPT_MS);
  const ahead = new MemoryAhead(memory, ['a']);
  if (verb === 'set') await ahead.set('a', 'now', KEPT_MS);
  else await ahead.delete('a');
  expect(await ahead.get('a')).toBe(verb === 'set' ? 'now' : undefined);
});

test('what cannot be read fails those that ask for it, and no others', async () => {
  const { memory } = makeMemoryCommons();
  const broken = new Error('Redis is away');
  const failing = {
    get: (key: string) => (key === 'a' ? Promise.reject(broken) : memory.get(key)),
    set: memory.set.bind(memory),
    delete: memory.delete.bind(memory),
    digester: memory.digester.bind(memory),
  };
  // A rejection that no one handles would end the process.
  const ahead = new MemoryAhead(failing, ['a', 'b']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await ahead.get('b')).toBeUndefined();
  await expect(ahead.get('a')).rejects.toBe(broken);
});
