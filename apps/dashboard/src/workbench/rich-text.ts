import { own } from '@wrapup/call';
import { KINDS } from '@wrapup/config';

/** Fields that a kind of CRM shows as rich text, and whose values are markup therefore, as `object.property`. */
export function richTextOf(kind: string | undefined): ReadonlySet<string> {
  const records = (kind === undefined ? undefined : own(KINDS, kind))?.dialect.records ?? {};
  return new Set(
    Object.values(records).flatMap(({ object, words }) =>
      Object.values(words).flatMap(({ property, text }) => (text === 'html' ? [`${object}.${property}`] : [])),
    ),
  );
}
