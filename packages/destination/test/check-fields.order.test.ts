import { expect, test } from 'vitest';
import { checkOrder } from '../src/check/check-fields.ts';

const AT = { file: 'mappings/sales.yaml', line: 3, column: 1 };
const field = (order?: string[]) =>
  ({ object: 'deals', property: 'stage', at: AT, ...(order ? { order } : {}) }) as never;

test('an order that names all options, in any case of letters, has no gap; nor has a field without one', () => {
  expect(checkOrder(field(['New', 'won']), ['new', 'Won'])).toEqual([]);
  expect(checkOrder(field(), ['new'])).toEqual([]);
});

test('options that the order does not name are named, ten at most', () => {
  expect(checkOrder(field(['new']), ['new', 'Lost'])).toMatchObject([
    {
      severity: 'warning',
      code: 'order-gap',
      at: AT,
      message: expect.stringMatching(/deals\.stage .*Lost[^,]*: a record/),
    },
  ]);
  const many = (count: number) => Array.from({ length: count }, (_, n) => `option${n}`);
  const said = (count: number) => checkOrder(field(['new']), many(count))[0]?.message;
  expect(said(10)).toMatch(/option9/);
  expect(said(10)).not.toMatch(/more/);
  expect(said(12)).toMatch(/option9.* and 2 more:/);
  expect(said(12)).not.toMatch(/option10/);
});
