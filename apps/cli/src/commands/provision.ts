import type { ProvisionStep } from '@wrapup/destination';
import type { Command } from 'commander';
import { clean } from '../clean.ts';
import { chooseConnections, explainFailure, mappingsOf, withDestination } from '../destinations.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { makeOutput } from '../output.ts';
import { type GlobalOptions, requireConfig } from '../settings.ts';

const COLOURS = { present: 'dim', created: 'green', missing: 'yellow', refused: 'red' } as const;

/** `wrapup provision`: the unique keys and fields that the mappings need, on every connection. */
export function addProvision(program: Command): void {
  program
    .command('provision')
    .description('create the unique keys and custom fields that the mappings need')
    .argument('[connection]', 'default: all')
    .option('--plan', 'only list them')
    .addHelpText('after', '\nExits 1 when a field was refused or, under --plan, is missing.')
    .action(async (name: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { plan?: boolean }>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const results: { connection: string; steps: ProvisionStep[]; error?: object }[] = [];
      let worst: ExitCode = EXIT.ok;
      for (const connection of chooseConnections(config, name)) {
        output.line(output.style('bold', `${connection.name} (${connection.kind})`));
        try {
          const steps = await withDestination(connection, (destination, context) =>
            destination.provision(
              { mappings: mappingsOf(config, connection.name), plan: options.plan ?? false },
              context(),
            ),
          );
          results.push({ connection: connection.name, steps });
          for (const { what, state, hint } of steps) {
            output.line(`  ${output.style(COLOURS[state], state.padEnd(8))} ${clean(what)}`);
            if (hint) output.line(`           ${clean(hint, 1000)}`);
            if (state === 'refused' || state === 'missing') worst = Math.max(worst, EXIT.failed) as ExitCode;
          }
          if (steps.length === 0) output.line('  nothing is needed');
        } catch (error) {
          const { failure, exit } = explainFailure(error);
          const { message, code, hint } = failure;
          results.push({ connection: connection.name, steps: [], error: { code, message, hint } });
          output.line(`  ${output.style('red', 'failed')}   ${clean(message)} [${code}]`);
          if (hint) output.line(`           ${clean(hint)}`);
          worst = Math.max(worst, exit) as ExitCode;
        }
      }
      output.data(results);
      process.exitCode = worst;
    });
}
