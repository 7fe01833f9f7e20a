/** JSON as the repository's formatter would write it is not wanted: two blanks a level, a line break at the end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
