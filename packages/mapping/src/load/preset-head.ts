/**
 * What a preset says of itself in the comment at its top: `# hubspot/call-log: the right contact, …`, then lines about how it
 * is used.
 * @param name with its kind: `hubspot/call-log`
 */
export function readPresetHead(name: string, text: string): { title: string; lines: string[] } {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`# ${name}: `));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('#'));
  const [first = '', ...rest] = start < 0 ? [] : lines.slice(start, end).map((line) => line.replace(/^# ?/, ''));
  return { title: first.slice(name.length + 2), lines: rest };
}
