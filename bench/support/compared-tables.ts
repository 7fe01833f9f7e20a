/** Figures as tables: many clients beside each other, and an earlier version beside this one. */
import type { ClientsFigures } from '../parts/clients.ts';
import type { EarlierFigures } from '../parts/earlier.ts';
import { format, type Group } from './chart.ts';

/** Many clients at rest, and one beside another that floods. */
export function clientsTables({ idle, flood }: ClientsFigures): string {
  const rows = idle.flatMap(({ clients: count, of }) =>
    (['wrapup', 'baseline'] as const).map((name) => {
      const { start, memory, redis, cpu, redisCpu, latency } = of[name];
      return `| ${count.toLocaleString('en')} | ${name === 'wrapup' ? 'Wrapup' : 'a worker per connection'} | ${format(start)} | ${format(memory)} | ${redis} | ${format(cpu)} | ${format(redisCpu)} | ${format(latency)} |`;
    }),
  );
  const [first, last] = [idle[0], idle.at(-1)];
  const growth =
    first && last
      ? `From ${first.clients} to ${last.clients.toLocaleString('en')} clients, Wrapup's worker takes ${format(last.of.wrapup.memory - first.of.wrapup.memory)} MiB more (at most 80), ${last.of.wrapup.redis - first.of.wrapup.redis} further connections to Redis (at most 20 in all), ${format(last.of.wrapup.cpu - first.of.wrapup.cpu)} points more of a core at rest (at most 1), and a lone call ${format(last.of.wrapup.latency / first.of.wrapup.latency)} times as long; the baseline ${format(last.of.baseline.memory - first.of.baseline.memory)} MiB, ${format(last.of.baseline.redis - first.of.baseline.redis)} connections, ${format(last.of.baseline.cpu - first.of.baseline.cpu)} points, ${format(last.of.baseline.latency / first.of.baseline.latency)} times.`
      : '';
  const besides = (['alone', 'beside a backlog', 'beside a CRM that hangs'] as const).map(
    (name) =>
      `| ${name} | ${format(flood[name].p50)} | ${format(flood[name].p99)} | ${format(flood[name].p50 / flood.alone.p50)} |`,
  );
  return `| Clients | | Start, ms | Memory, MiB | Connections to Redis | CPU at rest, % | Redis’ CPU, % | Lone call, ms |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

${growth}

In a run of its own: a quiet client's calls from webhook to record, 40 ms for each answer of HubSpot, while another client has ${flood.backlog[0].toLocaleString('en')} calls waiting (${flood.backlog[1].toLocaleString('en')} when it was over), and then while its CRM does not answer either:

| | p50 ms | p99 ms | to alone (target 3) |
| --- | ---: | ---: | ---: |
${besides.join('\n')}
`;
}

/** Figures of an earlier version and of this one. */
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
