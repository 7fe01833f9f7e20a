import { distance } from 'fastest-levenshtein';

/** The known word nearest to a mistyped one, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().replaceAll('-', '_');
  let best: { word: string; away: number } | undefined;
  for (const candidate of known) {
    const away = distance(wanted, candidate.toLowerCase().replaceAll('-', '_'));
    if (!best || away < best.away) best = { word: candidate, away };
  }
  return best && best.away <= Math.max(1, Math.floor(word.length * 0.4)) ? best.word : undefined;
}

/** What to say after "unknown …": the nearest name if there is one, else all that exist. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const names = [...known];
  if (names.length === 0) return 'there are none here';
  const near = nearest(word, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  return names.length === 1 ? `there is only ${names[0]}` : `one of: ${names.join(', ')}`;
}
