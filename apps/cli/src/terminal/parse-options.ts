import { parseDuration } from '@wrapup/config';
import { InvalidArgumentError } from 'commander';

/** `2h`, `3d`, or a date: epoch ms. For options of commander. */
export function parseSince(text: string): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return Date.now() - ago;
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('It must be a duration such as 2h or 3d, or a date such as 2026-05-04.');
  return at;
}

/** `500ms`, `2s`, `7d`: milliseconds. For options of commander. */
export function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration such as 500ms, 2s or 7d.');
  return ms;
}

export function parseCount(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1_000_000) {
    throw new InvalidArgumentError('It must be a whole number, at least 1.');
  }
  return number;
}
