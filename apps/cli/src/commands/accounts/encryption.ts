import type { EncryptionAudit, Migration, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import type { GlobalOptions } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { describeEncryption } from '../../show/describe-encryption.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, type Output, when } from '../../terminal/output.ts';
import { makeProgress } from '../../terminal/progress.ts';

interface Status extends EncryptionAudit {
  /** Epoch ms since when plain values are refused; null while they are read. */
  since: number | null;
  index_key: { fingerprint: string | null; kept_in: 'environment' | 'redis' | null };
}

/** `wrapup encryption`: which keys are in force, and how far what Redis holds is encrypted with them. */
export function addEncryption(program: Command): void {
  const encryption = program.command('encryption').description('the keys of this installation, and what is encrypted');

  encryption
    .command('status')
    .description('count what is encrypted, with which key, and what is not')
    .action(async (_options, command: Command) => {
      const output = makeOutput(command.optsWithGlobals<GlobalOptions>().json ?? false);
      const status = await withStore(readStatus, { anyKeys: true });
      output.data(status);
      showStatus(status, output);
      if (status.missing.length > 0 || (status.since !== null && status.plain > 0)) process.exitCode = EXIT.failed;
    });

  encryption
    .command('migrate')
    .description('encrypt everything with the current key, then refuse what is not encrypted')
    .option('--accept-plain', 'encrypt also plain values that were written after all were encrypted')
    .addHelpText(
      'after',
      '\nGive every process the key first: what one without it writes afterwards is refused. May be stopped and run again.\nValues under older keys of WRAPUP_ENCRYPTION_KEY go over to the first; the older ones can be taken out afterwards.',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { acceptPlain?: boolean }>();
      const output = makeOutput(options.json ?? false);
      const progress = makeProgress(output, 'values');
      const migration = await withStore(
        async (store) => {
          if (!store.encryptor.on) {
            throw new CliError(
              EXIT.usage,
              'WRAPUP_ENCRYPTION_KEY is not set: there is no key to encrypt with',
              'make one with: openssl rand -base64 32',
            );
          }
          const { migrateEncryption } = await import('@wrapup/queue');
          return migrateEncryption(store, {
            acceptPlain: options.acceptPlain ?? false,
            onProgress: (done) => progress.show(done, undefined),
          });
        },
        { anyKeys: true },
      );
      progress.end();
      output.data(migration);
      showMigration(migration, output);
      const isDone =
        migration.since !== null && migration.refused === 0 && Object.keys(migration.unreadable).length === 0;
      if (!isDone) process.exitCode = EXIT.failed;
    });

  encryption
    .command('index-key')
    .description('print the index key that Redis keeps, to set it as WRAPUP_INDEX_KEY in every process')
    .action(async (_options, command: Command) => {
      const output = makeOutput(command.optsWithGlobals<GlobalOptions>().json ?? false);
      const key = await withStore((store) => store.indexKey.kept());
      if (key === undefined) {
        throw new CliError(EXIT.failed, 'Redis keeps no index key: WRAPUP_INDEX_KEY is set in the environment');
      }
      output.data({ index_key: key });
      output.line(key);
    });
}

async function readStatus(store: Store): Promise<Status> {
  const { redis, keys, marks } = store;
  const { auditEncryption } = await import('@wrapup/queue');
  const [fingerprint = null, kept = null] = await redis.hmget(keys.installation, 'index_fingerprint', 'index_key');
  return {
    ...(await auditEncryption(store)),
    since: (await marks.at('encrypted')) ?? null,
    index_key: { fingerprint, kept_in: kept !== null ? 'redis' : fingerprint === null ? null : 'environment' },
  };
}

function showStatus(status: Status, output: Output): void {
  for (const line of describeEncryption(status, output)) output.line(line);
  if (status.since !== null) output.line(`  what is not encrypted is refused since ${when(status.since)}`);
  else if (status.key) output.line('  what is not encrypted is still read: `wrapup encryption migrate` ends that');
  const { fingerprint, kept_in } = status.index_key;
  const where = kept_in === 'redis' ? 'kept in Redis' : 'set in the environment';
  output.line(
    `${output.style('bold', 'Index key')}: ${fingerprint === null ? 'none yet, the first process makes it' : `fingerprint ${fingerprint}, ${where}`}`,
  );
}

function showMigration(
  { encrypted, reencrypted, current, refused, unreadable, since }: Migration,
  output: Output,
): void {
  output.line(
    `${count(encrypted, 'value')} encrypted, ${reencrypted} taken over from older keys, ${current} as they should be`,
  );
  for (const [key, number] of Object.entries(unreadable)) {
    output.line(
      key === 'damaged'
        ? `${count(number, 'value')} cannot be decrypted: damaged, or put in the place of another`
        : `${count(number, 'value')} of key ${key}, which WRAPUP_ENCRYPTION_KEY does not hold: put it back behind the current one`,
    );
  }
  if (refused > 0) {
    output.line(
      `${count(refused, 'value')} not encrypted although all were: written by a process without the key, or a stranger`,
    );
    output.line('    find out which; with --accept-plain they are encrypted, too');
  }
  output.line(
    since === null
      ? 'plain values are still being written: give every process the key, then run this again'
      : `what is not encrypted is refused since ${when(since)}`,
  );
}
