import { compileDue } from '../time/due.ts';
import { readMoment } from '../time/moment.ts';
import { clockAt } from '../time/zone.ts';
import { Absent, type Present } from '../values/found.ts';
import type { Transform } from './transform.ts';

const zone = { name: 'time zone', type: 'time_zone', optional: true } as const;
const NO_DATE = new Absent('date: it is no ISO 8601 date', 'unreadable_date');
const NO_START = new Absent('plus: it is no ISO 8601 date and time', 'unreadable_date');
const NO_DATETIME = new Absent('datetime: it is no ISO 8601 date and time', 'unreadable_date');

export const DATE_TRANSFORMS: Transform[] = [
  {
    name: 'date',
    gives: 'date',
    does: 'The day, as the time zone has it: the one that is named, else that of the mapping, else UTC.',
    example: { given: '2026-11-20T03:30:00Z', args: ['America/New_York'] },
    parameters: [zone],
    apply: (value: Present, name) => {
      const where = String(name ?? 'UTC');
      const ms = readMoment(value, where);
      return ms === undefined ? NO_DATE : new Date(clockAt(ms, where)).toISOString().slice(0, 10);
    },
  },
  {
    name: 'datetime',
    gives: 'datetime',
    does: 'The moment in UTC. A time without offset is taken to be in the time zone (the one that is named, else that of the mapping, else UTC); epoch seconds and milliseconds are read too.',
    example: { given: '2026-11-20 10:00', args: ['Europe/Berlin'] },
    parameters: [zone],
    apply: (value: Present, name) => {
      const ms = readMoment(value, String(name ?? 'UTC'));
      return ms === undefined ? NO_DATETIME : new Date(ms).toISOString();
    },
  },
  {
    name: 'plus',
    gives: 'datetime',
    does: 'The moment so much later, in UTC: 30 minutes, 1 business day at 09:00; with a minus so much earlier: -1 day. Days are those of the time zone.',
    parameters: [{ name: 'how much', type: 'span' }, zone],
    example: { given: '2026-11-20T09:00:00Z', args: ['30 minutes'] },
    apply: (value: Present, span, name) => {
      const where = String(name ?? 'UTC');
      return compileDue(String(span), where)?.(readMoment(value, where) ?? Number.NaN) ?? NO_START;
    },
  },
];
