#!/usr/bin/env node
import { callable } from '@wrapup/telemetry/command-name';
import { CommanderError } from 'commander';
import { makeProgram } from './program.ts';
import { clean } from './terminal/clean.ts';
import { CliError, EXIT } from './terminal/exit.ts';

// A reader that went away (`wrapup calls list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what was wrong; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof CliError || ['VariableError', 'Failure'].includes((error as Error)?.name)) {
    const unsaid = (error as Error).name === 'Failure' ? EXIT.failed : EXIT.usage;
    const { message, hint, exit = unsaid } = error as Partial<CliError>;
    process.stderr.write(`wrapup: ${callable(clean(message, 1000))}\n`);
    if (hint) process.stderr.write(`  ${callable(clean(hint))}\n`);
    process.exitCode = exit;
  } else {
    process.stderr.write(`wrapup: ${clean((error as Error)?.stack ?? error, 4000)}\n`);
    process.exitCode = EXIT.failed;
  }
}
