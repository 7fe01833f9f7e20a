import type { Command } from 'commander';
import { makeOutput, table } from '../output.ts';
import { type GlobalOptions, requireConfig } from '../settings.ts';
import { withStore } from '../store.ts';

/** `wrapup connections list`: the CRM accounts and what waits for each. */
export function addConnections(program: Command): void {
  const connections = program.command('connections').description('CRM accounts and what waits for each');
  connections
    .command('list')
    .description('all of them, removed ones with calls left included')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const rows = await withStore(async (store) => {
        const names = new Set([...Object.keys(config.connections), ...(await store.queues.connections())]);
        return Promise.all(
          [...names].map(async (name) => {
            const queue = store.queues.deliveries(name);
            const [counts, paused] = await Promise.all([
              queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
              queue.isPaused(),
            ]);
            const { active = 0, delayed = 0, failed = 0 } = counts;
            const connection = config.connections[name];
            return {
              connection: name,
              kind: connection?.kind ?? null,
              state: connection ? (paused ? 'paused' : 'running') : 'unconfigured',
              waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
              active,
              delayed,
              failed,
              routes: config.routes.filter(({ to }) => to === name).map((route) => route.name),
            };
          }),
        );
      });
      output.data(rows);
      const head = ['CONNECTION', 'KIND', 'STATE', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED', 'ROUTES'];
      const cells = rows.map((row) => [
        row.connection,
        row.kind ?? '-',
        row.state,
        row.waiting,
        row.active,
        row.delayed,
        row.failed,
        row.routes.join(', '),
      ]);
      for (const line of table(head, cells)) output.line(line);
    });
}
