import type { EncryptionAudit, Migration, Store, UnreadableValues } from '@wrapup/queue';
import type { Command } from 'commander';
import { addClientOption } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireClient } from '../../connect/settings.ts';
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

  const status = encryption.command('status').description('count what is encrypted, with which key, and what is not');
  addClientOption(status).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const output = makeOutput(options.json ?? false);
    const found = await withStore((store) => readStatus(store, options), { anyKeys: true });
    output.data(found);
    showStatus(found, options.client, output);
    const uses = [found, ...Object.values(found.clients)];
    const isPlain = found.since !== null && uses.some(({ plain }) => plain > 0);
    if (isPlain || uses.some(({ missing }) => missing.length > 0)) process.exitCode = EXIT.failed;
  });

  const migrate = encryption
    .command('migrate')
    .description('encrypt everything with the current key, then refuse what is not encrypted');
  addClientOption(migrate)
    .option('--accept-plain', 'encrypt also plain values that were written after all were encrypted')
    .addHelpText(
      'after',
      '\nGive every process the key first: what one without it writes afterwards is refused. May be stopped and run again.\nValues under older keys of WRAPUP_ENCRYPTION_KEY go over to the first; the older ones can be taken out afterwards.\nWhat is kept of a client with an encryption_key of its own goes over to the first of its keys.',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { acceptPlain?: boolean }>();
      const output = makeOutput(options.json ?? false);
      const progress = makeProgress(output, 'values');
      const migration = await withStore(
        async (store) => {
          const { client } = options;
          await requireClient(options, store);
          const { encryptor } = store;
          if ((client === undefined ? encryptor.keys : encryptor.keysOf(client)).length === 0) {
            const own = client === undefined ? '' : `clients/${client}.yaml names no encryption_key, and `;
            throw new CliError(
              EXIT.usage,
              `${own}WRAPUP_ENCRYPTION_KEY is not set: there is no key to encrypt with`,
              'make one with: openssl rand -base64 32',
            );
          }
          const { migrateEncryption } = await import('@wrapup/queue');
          await store.audit.note(operator(), {
            action: 'change encryption',
            ...(client !== undefined && { target: client }),
          });
          return migrateEncryption(store, {
            ...(client !== undefined && { client }),
            acceptPlain: options.acceptPlain ?? false,
            onProgress: (done) => progress.show(done, undefined),
          });
        },
        { anyKeys: true },
      );
      progress.end();
      output.data(migration);
      showMigration(migration, options.client, output);
      const { since, refused, unreadable } = migration;
      const isDone = (since !== null || options.client !== undefined) && refused === 0 && unreadable.length === 0;
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

async function readStatus(store: Store, options: GlobalOptions): Promise<Status> {
  await requireClient(options, store);
  const { redis, keys, marks } = store;
  const { auditEncryption } = await import('@wrapup/queue');
  const [fingerprint = null, kept = null] = await redis.hmget(keys.installation, 'index_fingerprint', 'index_key');
  return {
    ...(await auditEncryption(store, options.client)),
    since: (await marks.at('encrypted')) ?? null,
    index_key: { fingerprint, kept_in: kept !== null ? 'redis' : fingerprint === null ? null : 'environment' },
  };
}

function showStatus(status: Status, client: string | undefined, output: Output): void {
  for (const line of describeEncryption(status, output, client)) output.line(line);
  if (client !== undefined) return;
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
  client: string | undefined,
  output: Output,
): void {
  output.line(
    `${count(encrypted, 'value')} encrypted, ${reencrypted} taken over from older keys, ${current} as they should be`,
  );
  for (const one of unreadable) output.line(describeUnreadable(one));
  if (refused > 0) {
    output.line(
      `${count(refused, 'value')} not encrypted although all were: written by a process without the key, or a stranger`,
    );
    output.line('    find out which; with --accept-plain they are encrypted, too');
  }
  if (client !== undefined) return;
  output.line(
    since === null
      ? 'plain values are still being written: give every process the key, then run this again'
      : `what is not encrypted is refused since ${when(since)}`,
  );
}

function describeUnreadable({ client, key, why, values }: UnreadableValues): string {
  const what = `${count(values, 'value')}${client === null ? '' : ` of client ${client}`}`;
  if (why === 'damaged') return `${what} cannot be decrypted: damaged, or put in the place of another`;
  if (why === 'keys_unreadable')
    return `${what} left as they are, since the keys of the client cannot be read: wrapup check --client ${client}`;
  return client === null
    ? `${what} of key ${key}, which WRAPUP_ENCRYPTION_KEY does not hold: put it back behind the current one`
    : `${what} of key ${key}, which the client does not have here: put it back behind the current one in encryption_key of its file`;
}
