import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, callable } from '@wrapup/telemetry/command-name';
import type { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { makeProgram } from '../src/program.ts';
import { ROOT } from './support/run.ts';

const PROGRAM = makeProgram();
const FILES = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: ROOT }).sort();
/** A command in a text, and the words, arguments and options behind it. */
const NAMED = /(?<![\w/.@:-])wrapup ([a-z]+)((?: (?:--[a-z-]+|[a-z][a-z-]*|<[^>]*>|…|\$\{[^}]*\}))*)/g;

/** What keys are derived with: names no command. */
const LABELS = /wrapup (?:dashboard session|index key)/;

interface Mention {
  place: string;
  text: string;
  name: string;
  behind: string[];
}

/** Every place that names a command: in comments too, which documentation is made of. */
const MENTIONS = FILES.flatMap((file): Mention[] =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      [...line.replace(LABELS, '').matchAll(NAMED)].map(([text, name = '', behind = '']) => {
        return { place: `${file}:${index + 1}`, text, name, behind: behind.trim().split(' ').filter(Boolean) };
      }),
    ),
);

const find = (of: Command, name: string) => of.commands.find((command) => command.name() === name);

/** What is wrong with it. */
function mistakeIn({ name, behind }: Mention): string | undefined {
  const command = find(PROGRAM, name);
  if (!command) return `there is no command ${name}`;
  const [next = ''] = behind;
  const inner = command.commands.length > 0 && /^[a-z]/.test(next) ? find(command, next) : undefined;
  if (command.commands.length > 0 && /^[a-z]/.test(next) && !inner) return `${name} has no command ${next}`;
  const known = [inner ?? command, command, PROGRAM].flatMap(({ options }) => options.map(({ long }) => long));
  const unknown = behind.find((word) => word.startsWith('--') && word !== '--help' && !known.includes(word));
  return unknown && `${name} has no option ${unknown}`;
}

test('every command that a message names is there, with its options', () => {
  expect(MENTIONS.length).toBeGreaterThan(100);
  expect(MENTIONS.flatMap((one) => mistakeIn(one)?.concat(` (${one.place}: ${one.text})`) ?? [])).toEqual([]);
});

test('the names that are taken for commands in a text are those of the commands', () => {
  expect(COMMANDS).toEqual(PROGRAM.commands.map((command) => command.name()).sort());
});

test('every one of them is shown as it can be called here', () => {
  vi.stubEnv('WRAPUP_COMMAND', 'docker compose run --rm cli');
  for (const { text } of MENTIONS) expect(callable(`Run \`${text}\`.`)).not.toContain('wrapup ');
  expect(callable('npm run wrapup -- check, wrapup.yaml, @wrapup check, /opt/wrapup check')).toBe(
    'npm run wrapup -- check, wrapup.yaml, @wrapup check, /opt/wrapup check',
  );
  vi.stubEnv('WRAPUP_COMMAND', '');
  expect(callable('Run `wrapup check`.')).toBe('Run `wrapup check`.');
  vi.unstubAllEnvs();
});

/** What shows text to people, and the one function through which it names commands. */
test.each([
  'apps/cli/src/terminal/output.ts',
  'apps/cli/src/program.ts',
  'apps/cli/src/main.ts',
  'apps/dashboard/src/pages/layout.ts',
  'apps/ingress/src/http/http-problem.ts',
  'apps/worker/src/upkeep/alerts.ts',
  'packages/telemetry/src/observe/logger.ts',
])('%s names commands as they can be called', (file) => {
  expect(readFileSync(join(ROOT, file), 'utf8')).toMatch(/\bcallable\(/);
});
