import type { Command } from 'commander';
import { addClientOption, refuseUnknown } from '../../connect/client-option.ts';
import { nothingRunsHere, START_IT } from '../../connect/not-running.ts';
import { describeFindings, type GlobalOptions, loadSettings } from '../../connect/settings.ts';
import { clean } from '../../terminal/clean.ts';
import { EXIT } from '../../terminal/exit.ts';
import { count, makeOutput } from '../../terminal/output.ts';

interface CheckOptions extends GlobalOptions {
  strict?: boolean;
  show?: boolean;
  /** False under `--no-env`. */
  env?: boolean;
}

/** `wrapup check`: finds what is wrong with wrapup.yaml and its mappings, offline. */
export function addCheck(program: Command): void {
  addClientOption(
    program.command('check').description('check wrapup.yaml, the files of clients and their mappings, offline'),
  )
    .option('--strict', 'exit 1 on warnings too')
    .option('--no-env', 'read no variable and miss none: what the files say is checked where no secret is, as in CI')
    .option('--show', 'show the configuration as it was understood, secrets masked')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckOptions>();
      const output = makeOutput(options.json ?? false);
      const { config, findings } = await loadChecked(options);
      const errors = findings.filter(({ severity }) => severity === 'error').length;
      const warnings = findings.length - errors;
      const shown = config && options.show ? (await import('@wrapup/config')).describeConfig(config) : undefined;
      output.data({
        ok: errors === 0,
        errors,
        warnings,
        ...(config ? { file: config.file, hash: config.hash } : {}),
        findings,
        ...(shown ? { config: shown } : {}),
      });
      for (const line of await describeFindings(findings, output)) output.line(line);
      if (shown) output.line(clean(JSON.stringify(shown), 1_000_000));
      if (nothingRunsHere() && findings.some(({ code }) => code === 'unset-variable')) output.remark(START_IT);
      const found = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
      output.line(
        config && errors === 0
          ? options.env === false
            ? `${output.style('green', 'ok')} without variables: ${found}`
            : `${output.style('green', 'ok')}: ${count(Object.keys(config.sources).length, 'source')}, ${count(Object.keys(config.connections).length, 'connection')}, ${count(config.routes.length, 'route')}; ${found}`
          : output.style('red', found),
      );
      if (errors > 0 || (options.strict && warnings > 0)) process.exitCode = EXIT.failed;
    });
}

/** The configuration and what was found; with `--client` as far as it concerns that client. */
async function loadChecked({ client, env, ...options }: CheckOptions) {
  const { config: whole, findings: all, clientFindings } = await loadSettings(options, env === false);
  // An error in wrapup.yaml keeps every file out of force.
  if (client === undefined || !whole) return { config: whole, findings: all };
  const findings = clientFindings.get(client);
  if (!findings) return refuseUnknown(client, Object.keys(whole.clients));
  const { narrowConfig } = await import('@wrapup/config');
  return { config: narrowConfig(whole, client), findings: [...findings] };
}
