import { expect, it } from 'vitest';
import { joinByNames } from '../src/engine/people/person-write.ts';

it('joins what shares a name, directly or through another', () => {
  const all = ['a', 'b', 'ab', 'c', 'bd', ''];
  const groups = joinByNames(all, (one) => [...one]);
  expect(groups).toEqual([
    { names: new Set('c'), writes: ['c'] },
    { names: new Set('abd'), writes: ['a', 'b', 'ab', 'bd'] },
    { names: new Set(), writes: [''] },
  ]);
});
