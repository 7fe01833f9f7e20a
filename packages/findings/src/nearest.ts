import { distance } from 'fastest-levenshtein';

/**
 * The name that was probably meant, or undefined when none is near enough to suggest.
 * @param candidates the right names; of equally near ones the first wins
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = simplify(name);
  const furthest = Math.max(1, Math.floor(name.length * 0.4));
  let best: string | undefined;
  let least = furthest + 1;
  for (const candidate of candidates) {
    const away = howFar(wanted, simplify(candidate));
    if (away < least) [best, least] = [candidate, away];
  }
  return best;
}

/** `did you mean "phone"?`, or all the names there are when none is near. */
export function suggest(name: string, candidates: Iterable<string>): string {
  const names = [...candidates];
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  return names.length === 0 ? 'there are none here' : `known: ${names.join(', ')}`;
}

/** Letters in another order are one slip: `laed` is as near to `lead` as `leed` is. */
function howFar(wanted: string, candidate: string): number {
  if (wanted.length === candidate.length && sortLetters(wanted) === sortLetters(candidate))
    return wanted === candidate ? 0 : 1;
  return distance(wanted, candidate);
}

function sortLetters(name: string): string {
  return [...name].sort().join('');
}

/** Case and the choice between `-` and `_` are the least of mistakes. */
function simplify(name: string): string {
  return name.slice(0, 200).toLowerCase().replaceAll('-', '_');
}
