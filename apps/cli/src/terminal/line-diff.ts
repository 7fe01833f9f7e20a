/** Lines of context around a change. */
const CONTEXT = 1;

/**
 * What became of a text, as `diff -u` shows it: `-` lines that went, `+` lines that came, a few of those around.
 * Lines are compared in time and memory of old times new, so that what begins and ends alike is left out first.
 */
export function diffLines(before: string, after: string): string[] {
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const changes = changesOf(old.slice(start, old.length - end), now.slice(start, now.length - end));
  const all = [
    ...old.slice(Math.max(0, start - CONTEXT), start).map((line) => ` ${line}`),
    ...changes,
    ...old.slice(old.length - end, old.length - end + CONTEXT).map((line) => ` ${line}`),
  ];
  return nearChanges(all);
}

function changesOf(old: string[], now: string[]): string[] {
  // Length of the longest common part of what is left of both.
  const common: number[][] = Array.from({ length: old.length + 1 }, () => new Array(now.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      (common[i] as number[])[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push(` ${old[i]}`);
      i += 1;
      j += 1;
    } else if (i < old.length && at(i + 1, j) >= at(i, j + 1)) lines.push(`-${old[i++]}`);
    else lines.push(`+${now[j++]}`);
  }
  return lines;
}

/** Far from any change, lines are one `…`. */
function nearChanges(lines: string[]): string[] {
  const changed = lines.map((line) => !line.startsWith(' '));
  const isNear = (index: number) => changed.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(Boolean);
  return lines.flatMap((line, index) => (isNear(index) ? [line] : isNear(index - 1) ? [' …'] : []));
}
