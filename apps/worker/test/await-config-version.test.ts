import { expect, it } from 'vitest';
import { catchUp, WAITS } from '../src/deliveries/await-config-version.ts';
import { configWith } from './support.ts';

const configOf = (hash: string) => ({ ...configWith(), hash });
const OLD = configOf('old');
const NEW = configOf('new');
const never = () => Promise.reject(new Error('nobody was to look'));

it('what is no replay, or has its configuration already, goes on without a look', async () => {
  expect(await catchUp({}, 1, OLD, never)).toBe('ready');
  expect(await catchUp({ config: 'old' }, 1, OLD, never)).toBe('ready');
});

it('a configuration that is there is taken at once', async () => {
  const asked: string[] = [];
  const hurry = async (wanted: string) => {
    asked.push(wanted);
    return NEW;
  };
  expect(await catchUp({ config: 'new' }, 1, OLD, hurry)).toBe('ready');
  expect(asked).toEqual(['new']);
});

it('one that is not is waited for so many times, and then goes without, which is noted', async () => {
  const hurry = async () => OLD;
  for (let taken = 1; taken <= WAITS; taken += 1)
    expect(await catchUp({ config: 'new' }, taken, OLD, hurry)).toBe('wait');
  const end = await catchUp({ config: 'new' }, WAITS + 1, OLD, hurry);
  expect(end).toEqual({ note: expect.stringMatching(/with configuration old: .* had not got new/) });
});
