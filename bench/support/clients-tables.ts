/** Many clients at rest, and one beside another that floods. */
import type { ClientsFigures } from '../parts/clients.ts';
import { format } from './chart.ts';

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
