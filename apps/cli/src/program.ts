import { callable } from '@wrapup/telemetry/command-name';
import { Command } from 'commander';
import { addAudit } from './commands/access/audit.ts';
import { addTokens } from './commands/access/tokens.ts';
import { addUsers } from './commands/access/users.ts';
import { addConnections } from './commands/accounts/connections.ts';
import { addDoctor } from './commands/accounts/doctor.ts';
import { addEncryption } from './commands/accounts/encryption.ts';
import { addBackfill } from './commands/calls/backfill.ts';
import { addCalls } from './commands/calls/calls.ts';
import { addChoices } from './commands/calls/choices.ts';
import { addDemo } from './commands/calls/demo.ts';
import { addDigests } from './commands/calls/digests.ts';
import { addForget } from './commands/calls/forget.ts';
import { addOmissions } from './commands/calls/omissions.ts';
import { addPlan } from './commands/calls/plan.ts';
import { addReconcile } from './commands/calls/reconcile.ts';
import { addReplay } from './commands/calls/replay.ts';
import { addSend } from './commands/calls/send.ts';
import { addUnresolved } from './commands/calls/unresolved.ts';
import { addClients } from './commands/clients/clients.ts';
import { addCheck } from './commands/mappings/check.ts';
import { addExplain } from './commands/mappings/explain.ts';
import { addInit } from './commands/mappings/init.ts';
import { addProvision } from './commands/mappings/provision.ts';
import { addSchema } from './commands/mappings/schema.ts';
import { addTest } from './commands/mappings/test.ts';
import type { GlobalOptions } from './connect/settings.ts';
import { useConfigFile } from './connect/store.ts';

/** The command line: every command in a file of its own, each loading what it needs only when it runs. */
export function makeProgram(): Command {
  const program = new Command('wrapup')
    .description(
      'The after-call work of voice agents: what calls became, what stopped and why, and what to do about it.',
    )
    .version('0.1.0')
    .option('--json', 'one JSON document on standard output instead of text')
    .option('--api <url>', 'ask the dashboard at this address instead of Redis, with the token in WRAPUP_API_TOKEN')
    .option('--config <file>', 'path of wrapup.yaml (default: WRAPUP_CONFIG, else config/wrapup.yaml)')
    // Inherited by every command added below: mistakes are thrown, and main.ts gives them their exit code.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(callable(text)),
      writeErr: (text) => process.stderr.write(callable(text)),
    })
    .hook('preAction', async (_program, action) => {
      const { config, api } = action.optsWithGlobals<GlobalOptions>();
      useConfigFile(config);
      if (api === undefined) return;
      const { askApiInstead } = await import('./api/commands.ts');
      await askApiInstead(action);
    })
    .showHelpAfterError('(wrapup --help shows what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done · 1 done with errors, refused or not found · 2 called wrongly · 3 Redis, ingress, the CRM or Synthflow did not answer',
    );
  addInit(program);
  addCheck(program);
  addExplain(program);
  addTest(program);
  addDoctor(program);
  addProvision(program);
  addSchema(program);
  addPlan(program);
  addSend(program);
  addDemo(program);
  addCalls(program);
  addUnresolved(program, 'parked');
  addUnresolved(program, 'dead');
  addOmissions(program);
  addDigests(program);
  addChoices(program);
  addReplay(program);
  addReconcile(program);
  addBackfill(program);
  addConnections(program);
  addForget(program);
  addAudit(program);
  addUsers(program);
  addTokens(program);
  addClients(program);
  addEncryption(program);
  return program;
}
