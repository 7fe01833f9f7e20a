/** A record that a test makes, as pages show it. */
import type { ProducedRecord } from '@wrapup/fixtures';

/**
 * Its name, its object and what it is linked to, then a line for each field that is written.
 * @param width characters of a value that are shown
 * @param shows default: every field
 */
export function showRecord(
  { name, object, fields, associate }: ProducedRecord,
  width: number,
  shows: (field: ProducedRecord['fields'][number]) => boolean = () => true,
): string[] {
  const links = associate.length > 0 ? ` -> ${associate.join(', ')}` : '';
  return [
    `${name} (${object})${links}`,
    ...fields
      .filter((field) => field.why === undefined && shows(field))
      .map(({ name: field, value }) => `  ${field}: ${shorten(JSON.stringify(value), width)}`),
  ];
}

function shorten(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
