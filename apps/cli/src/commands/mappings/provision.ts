import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '@wrapup/config';
import type { ProvisionPackage, ProvisionStep } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import type { Command } from 'commander';
import { addClientOption, nameInFull } from '../../connect/client-option.ts';
import { chooseConnections, explainFailure, showFailure, useDestination } from '../../connect/destinations.ts';
import { noteSchemaChecks } from '../../connect/note-schema-checks.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../../terminal/exit.ts';
import { makeOutput, type Output } from '../../terminal/output.ts';

const COLOURS = { present: 'dim', created: 'green', missing: 'yellow', refused: 'red' } as const;

interface Options {
  plan?: boolean;
  deploy?: boolean;
  out?: string;
  standIn?: boolean;
}

/** Milliseconds that a deployment may take: the vendor queues it. */
const DEPLOY_WITHIN_MS = 10 * 60_000;

/** `wrapup provision`: the unique keys and fields that the mappings need, on every connection. */
export function addProvision(program: Command): void {
  addClientOption(
    program.command('provision').description('create the unique keys and custom fields that the mappings need'),
  )
    .argument('[connection]', 'default: all')
    .option('--plan', 'only list them')
    .option('--deploy', 'Salesforce: deploy them as a package, with a permission set for the user Wrapup works as')
    .option('--out <path>', 'Salesforce: write that package instead, as a folder or as a file that ends in .zip')
    .option('--stand-in', 'Salesforce: also the object that keeps keys where activities take no custom field')
    .addHelpText('after', '\nExits 1 when a field is missing or was refused.')
    .action(async (given: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & Options>();
      const name = given && nameInFull('connection', given, options.client);
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const { mappingsOf } = await import('@wrapup/config');
      const stand_in = options.standIn ?? false;
      if (options.out !== undefined) return await writePackages({ ...options, out: options.out }, name, config, output);
      const results: { connection: string; steps: ProvisionStep[]; error?: object }[] = [];
      const compared: { connection: string; findings: Finding[] }[] = [];
      let worst: ExitCode = EXIT.ok;
      for (const connection of chooseConnections(config, name)) {
        output.line(output.style('bold', `${connection.name} (${connection.kind})`));
        try {
          const steps = await useDestination(connection, output.remark, async (destination, context) => {
            const mappings = mappingsOf(config, connection.name);
            const made = await destination.provision(
              { mappings, plan: options.plan ?? false, deploy: options.deploy ?? false, stand_in },
              context(options.deploy ? DEPLOY_WITHIN_MS : undefined),
            );
            if (made.some(({ state }) => state === 'created')) {
              const findings = await destination.check(mappings, context()).catch(() => undefined);
              if (findings) compared.push({ connection: connection.name, findings });
            }
            return made;
          });
          results.push({ connection: connection.name, steps });
          for (const { what, state, hint } of steps) {
            output.line(`  ${output.style(COLOURS[state], state.padEnd(8))} ${clean(what)}`);
            if (hint) output.line(`           ${clean(hint, 1000)}`);
            if (state === 'refused' || state === 'missing') worst = Math.max(worst, EXIT.failed) as ExitCode;
          }
          if (steps.length === 0) output.line('  nothing is needed');
        } catch (error) {
          const failure = explainFailure(error);
          results.push({ connection: connection.name, steps: [], error: failure.error });
          showFailure(failure.error, output);
          worst = Math.max(worst, failure.exit) as ExitCode;
        }
      }
      await noteSchemaChecks(compared, options);
      output.data(results);
      process.exitCode = worst;
    });
}

/** Writes what a connection needs, for the vendor's own tools: nothing is asked of the CRM. */
async function writePackages(
  options: Options & { out: string },
  name: string | undefined,
  config: Config,
  output: Output,
): Promise<void> {
  const { mappingsOf } = await import('@wrapup/config');
  const chosen = chooseConnections(config, name);
  const packages: { connection: string; made: ProvisionPackage }[] = [];
  for (const connection of chosen)
    await useDestination(connection, output.remark, async (destination) => {
      const request = { mappings: mappingsOf(config, connection.name), stand_in: options.standIn ?? false };
      const made = await destination.package?.(request);
      if (made) packages.push({ connection: connection.name, made });
    });
  const [first, ...others] = packages;
  if (!first) throw new CliError(EXIT.usage, 'no connection here needs a package: its fields are created one by one');
  if (others.length > 0)
    throw new CliError(
      EXIT.usage,
      'several connections have a package',
      'name one: wrapup provision <connection> --out …',
    );
  if (options.out.endsWith('.zip')) await write(options.out, first.made.zip);
  else for (const [path, text] of Object.entries(first.made.files)) await write(join(options.out, path), text);
  output.line(`wrote ${Object.keys(first.made.files).length} files for ${first.connection} to ${options.out}`);
  output.data({ connection: first.connection, out: options.out, files: Object.keys(first.made.files) });
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
