import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { clientOf, own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { Command } from 'commander';
import { refuseUnknown } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { describeFindings, type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, table } from '../../terminal/output.ts';
import { addClientAdd } from './add-client.ts';
import { addClientAdopt } from './adopt-client.ts';
import { addClientExport, addClientImport } from './export-client.ts';

/** `wrapup client …`: the clients of an agency, each with a file of its own. */
export function addClients(program: Command): void {
  const clients = program
    .command('client')
    .description('the clients of this installation, each with a file of its own');
  addClientAdd(clients);
  addList(clients);
  addAsked(clients, 'check', 'what `wrapup check` says of one client');
  addAsked(clients, 'doctor', 'what `wrapup doctor` says of one client');
  addRemove(clients);
  addClientAdopt(clients);
  addClientExport(clients);
  addClientImport(clients);
}

function addList(clients: Command): void {
  clients
    .command('list')
    .description('every client, and wrapup.yaml itself: whether the file is in force, and where its webhooks go')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const all = Object.values(config.clients);
      const ofNone = { name: null, file: config.file, ...partsOf(config, undefined) };
      const hasParts = ofNone.sources.length + ofNone.connections.length > 0;
      output.data([
        ...all.map(({ password, encryption_keys, ...client }) => ({
          ...client,
          // Its id, which says nothing about the key.
          ...(encryption_keys && { encryption_key: encryption_keys[0]?.id }),
          ...partsOf(config, client.name),
        })),
        ...(all.length > 0 && hasParts ? [ofNone] : []),
      ]);
      if (all.length === 0) return output.line('No clients. `wrapup client add <name>` makes the first.');
      const rowOf = (name: string, file: string, { sources, connections, routes }: ReturnType<typeof partsOf>) => [
        ...[name, file, connections.map((one) => `${one.name} (${one.kind})`).join(', '), String(routes.length)],
        sources.map((one) => `/webhooks/${one.name}/post-call`).join(', '),
      ];
      const rows = all.map(({ name, state, errors }) =>
        rowOf(name, state === 'current' ? 'ok' : count(errors.length, 'error'), partsOf(config, name)),
      );
      // Of no client: what stands in wrapup.yaml itself.
      if (hasParts) rows.push(rowOf('wrapup.yaml', 'ok', ofNone));
      for (const line of table(['CLIENT', 'FILE', 'CONNECTIONS', 'ROUTES', 'WEBHOOKS'], rows)) output.line(line);
      const errors = all.flatMap((client) => client.errors);
      for (const line of await describeFindings([...new Set(errors)], output)) output.line(line);
      if (errors.length > 0) process.exitCode = EXIT.failed;
    });
}

/** A command of the whole installation, asked about one client. */
function addAsked(clients: Command, name: string, description: string): void {
  clients
    .command(name)
    .description(description)
    .argument('<client>')
    .action(async (client: string, _options, command: Command) => {
      const { json, config } = command.optsWithGlobals<GlobalOptions>();
      const globals = [...(json ? ['--json'] : []), ...(config === undefined ? [] : ['--config', config])];
      await clients.parent?.parseAsync([name, '--client', client, ...globals], { from: 'user' });
    });
}

/** @param client undefined: wrapup.yaml itself */
function partsOf(config: Config, client: string | undefined) {
  const isOwn = (full: string) => clientOf(full) === client;
  return {
    sources: Object.values(config.sources).flatMap((source) => (isOwn(source.name) ? [{ name: source.name }] : [])),
    connections: Object.values(config.connections).flatMap((connection) =>
      isOwn(connection.name) ? [{ name: connection.name, kind: connection.kind }] : [],
    ),
    routes: config.routes.flatMap((route) => (isOwn(route.name) ? [route.name] : [])),
  };
}

function addRemove(clients: Command): void {
  clients
    .command('remove')
    .description('take the file of a client out of force; its calls stay, and are listed as unconfigured')
    .argument('<client>')
    .option('--yes', 'do it')
    .option('--calls', 'remove also everything that Redis keeps of a client whose file is out of force')
    .addHelpText(
      'after',
      '\nThe file is renamed to _<client>.yaml, which nothing reads: rename it back, and all goes on where it stood.',
    )
    .action(async (client: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { yes?: boolean; calls?: boolean }>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      if (options.calls) return removeCalls(config, client, options.yes ?? false, output);
      const found = own(config.clients, client) ?? (await refuseUnknown(client, Object.keys(config.clients)));
      const { removedClientFile } = await import('@wrapup/config');
      const aside = removedClientFile(dirname(config.file), client);
      if (existsSync(aside)) throw new CliError(EXIT.failed, `${clean(aside)} is there already`, 'move it away first');
      const what = `client ${client}: its webhooks will be answered 404, and its calls wait as they stand`;
      if (!options.yes) throw new CliError(EXIT.usage, what, 'add --yes to do it');
      renameSync(found.file, aside);
      output.data({ client, file: aside });
      output.line(`${what}. Its file is ${clean(aside)} now.`);
      output.line(`\`wrapup client export ${client}\` takes it to another installation.`);
    });
}

async function removeCalls(config: Config, client: string, yes: boolean, output: ReturnType<typeof makeOutput>) {
  if (own(config.clients, client)) {
    throw new CliError(
      EXIT.failed,
      `the file of client ${client} is in force`,
      `first: wrapup client remove ${client} --yes`,
    );
  }
  const { listCallRefs, removeCall, removeClient } = await import('@wrapup/queue');
  const removed = await withStore(async (store) => {
    if (!yes) return store.ledger.count(client);
    await store.audit.note(operator(), { action: 'change client', target: client, reason: 'its calls are removed' });
    let calls = 0;
    for await (const call of listCallRefs(store, { client })) {
      await removeCall(store, call);
      calls += 1;
    }
    await removeClient(store, client);
    return calls;
  });
  if (!yes) {
    throw new CliError(
      EXIT.usage,
      `${count(removed, 'call')} of client ${client} would be removed for good, with payloads and open work`,
      'add --yes to do it',
    );
  }
  output.data({ client, removed });
  output.line(`${count(removed, 'call')} of client ${client} removed. What stands in its CRMs stays there.`);
}
