import type { Json } from '@wrapup/call';
import { sameValue } from '../values/compare.ts';
import { Absent, isScalar, LONGEST_TEXT, type Present } from '../values/found.ts';
import { withText } from './texts.ts';
import type { Transform } from './transform.ts';

/** Items that are looked at. */
const MAX_ITEMS = 1000;
const EMPTY = new Absent('the list is empty');
const NOT_PLAIN = new Absent('join: the list holds more than plain values', 'unreadable_value');

/** One value is a list of one. */
const listOf = (value: Present): Json[] => (Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [value]);

export const LIST_TRANSFORMS: Transform[] = [
  {
    name: 'split',
    example: { given: 'a, b,, c', args: [','] },
    does: 'A text taken apart into a list, without blanks around the items and without empty ones.',
    parameters: [{ name: 'separator', type: 'text' }],
    apply: (value, separator) =>
      withText(value, (text) =>
        text
          .split(String(separator), MAX_ITEMS)
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      ),
  },
  {
    name: 'join',
    gives: 'text',
    example: { given: ['a', 'b'], args: [';'] },
    does: 'A list put together into one text; with ";" as CRMs take several choices.',
    parameters: [{ name: 'separator', type: 'text' }],
    apply: (value, separator) => {
      const items = listOf(value).filter((item) => item !== null && item !== '');
      return items.every(isScalar) ? items.join(String(separator)).slice(0, LONGEST_TEXT) : NOT_PLAIN;
    },
  },
  {
    name: 'first',
    does: 'The first item of a list.',
    parameters: [],
    example: { given: ['a', 'b'] },
    apply: (value) => listOf(value)[0] ?? EMPTY,
  },
  {
    name: 'last',
    example: { given: ['a', 'b'] },
    does: 'The last item of a list.',
    parameters: [],
    apply: (value) => (Array.isArray(value) ? value.at(-1) : value) ?? EMPTY,
  },
  {
    name: 'slice',
    example: { given: 'ORD-1234', args: [4] },
    does: 'Part of a list or text: from one position up to before another, counted from 0, negative ones from the end.',
    parameters: [
      { name: 'start', type: 'integer', from: -LONGEST_TEXT, to: LONGEST_TEXT },
      { name: 'end', type: 'integer', optional: true, from: -LONGEST_TEXT, to: LONGEST_TEXT },
    ],
    apply: (value, start, end) => {
      const until = end === undefined ? undefined : Number(end);
      if (Array.isArray(value)) return value.slice(Number(start), until);
      return withText(value, (text) => text.slice(Number(start), until).toWellFormed());
    },
  },
  {
    name: 'list_contains',
    gives: 'boolean',
    example: { given: 'renewal, security', args: ['Security'] },
    does: 'True when a list, or a text with commas or semicolons, has the item.',
    parameters: [{ name: 'item', type: 'text' }],
    apply: (value, item) => {
      const items = typeof value === 'string' ? value.split(/[,;]/, MAX_ITEMS) : listOf(value);
      return items.some((one) => isScalar(one) && sameValue(one, String(item)));
    },
  },
];
