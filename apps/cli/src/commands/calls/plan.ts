import type { Command } from 'commander';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { explainFailure, useDestination } from '../../connect/destinations.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { type PlannedRoute, showCall, showRoute } from '../../show/show-plan.ts';
import { clean } from '../../terminal/clean.ts';
import { EXIT, type ExitCode } from '../../terminal/exit.ts';
import { makeOutput } from '../../terminal/output.ts';

interface PlanOptions extends GlobalOptions {
  source?: string;
  route?: string;
  offline?: boolean;
}

/** `wrapup plan`: what a call would change, field by field. Writes nothing. */
export function addPlan(program: Command): void {
  addClientOption(
    program.command('plan').description('show what a call would change in the CRM, field by field; writes nothing'),
  )
    .argument('<call>', 'a payload file, a call id from the ledger, or - for standard input')
    .option('--source <name>', 'source (default: the only one, else main)')
    .option('--route <name>', 'only this route, whether its condition matches or not')
    .option('--offline', 'do not ask the CRM: show the mapping alone')
    .addHelpText(
      'after',
      '\nExits 1 when a delivery would be parked or the CRM refuses, 3 when the CRM does not answer.',
    )
    .action(async (input: string, _options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<PlanOptions>());
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const [{ chooseRoutes }, { chooseForPlans, readCall }, { planOn }] = await Promise.all([
        import('@wrapup/config'),
        import('../../calls/plan-call.ts'),
        import('@wrapup/recovery/standing-call'),
      ]);
      const standing = await readCall(input, config, options);
      const { call, left_out } = standing;
      const routes =
        options.route === undefined
          ? chooseRoutes(config, call)
          : config.routes.filter(({ name }) => name === options.route);

      for (const line of showCall(call, output)) output.line(line);
      const results: PlannedRoute[] = [];
      let worst: ExitCode = EXIT.ok;
      const made = routes.flatMap((route) => {
        const connection = config.connections[route.to];
        return connection ? [{ ...planOn(route, standing), route, connection }] : [];
      });
      const plans = options.offline ? [] : await chooseForPlans(made, standing, output.remark);
      for (const [index, { route, connection, withheld, plan: bare }] of made.entries()) {
        const { name, to } = route;
        const plan = plans[index] ?? bare;
        const unproved = [...left_out, ...withheld];
        const planned: PlannedRoute = { route: name, connection: to, kind: connection.kind, plan, unproved };
        results.push(planned);
        if (!options.offline) {
          try {
            const [preview] = await useDestination(
              connection,
              output.remark,
              (destination, context) => destination.preview([plan], context()),
              { written: standing.written !== undefined },
            );
            if (preview) planned.preview = preview;
            if (preview?.decision === 'park') worst = Math.max(worst, EXIT.failed) as ExitCode;
          } catch (error) {
            const failure = explainFailure(error);
            planned.error = failure.error;
            worst = Math.max(worst, failure.exit) as ExitCode;
          }
        }
        for (const line of showRoute(planned, output)) output.line(line);
      }
      const others = config.routes.filter(({ name }) => !routes.some((route) => route.name === name));
      if (routes.length === 0) {
        output.line(
          options.route === undefined
            ? 'No route takes this call: it would be written nowhere.'
            : `There is no route ${clean(options.route)}.`,
        );
        worst = EXIT.failed;
      } else if (others.length > 0) {
        output.line('');
        output.line(output.style('dim', `not taken: ${others.map(({ name }) => clean(name)).join(', ')}`));
      }
      output.data({
        call: { ...call, raw: undefined },
        routes: results.map(({ plan, ...rest }) => ({
          ...rest,
          plan: { ...plan, call: undefined, settle: undefined },
        })),
        not_taken: others.map(({ name }) => name),
      });
      process.exitCode = worst;
    });
}
