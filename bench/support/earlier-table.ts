/** Figures of an earlier version and of this one, as a table and as bars. */
import type { EarlierFigures } from '../parts/earlier.ts';
import { format, type Group } from './chart.ts';

export function earlierTable({ commit, rows }: EarlierFigures): string {
  const lines = rows.map(({ what, unit, earlier, now, goal }) =>
    [what, unit, format(earlier), format(now), goal === undefined ? '' : format(goal), format(now / earlier)].join(
      ' | ',
    ),
  );
  return `| | unit | ${commit} | now | goal | now to ${commit} |
| --- | --- | ---: | ---: | ---: | ---: |
${lines.map((line) => `| ${line} |`).join('\n')}
`;
}

/** A group for each figure that has a goal. */
export function earlierGroups({ commit, rows }: EarlierFigures): Group[] {
  return rows.flatMap(({ what, unit, earlier, now, goal }) =>
    goal === undefined
      ? []
      : {
          title: what,
          unit: `${unit}, less is better`,
          bars: [
            { name: 'now', value: now },
            { name: commit, value: earlier },
            { name: 'goal', value: goal },
          ],
        },
  );
}
