/**
 * Environment variables, each of which may also come from a file, as Docker and Kubernetes mount secrets. The first of
 * these that holds something is the value of `X`:
 *
 *   X                   the variable
 *   X_FILE              the file that it names
 *   WRAPUP_SECRETS_DIR  the file `X` in that folder, or in the first of several, with colons between, that has it
 *
 * A variable that is set to nothing stands for one that is not set where the folder has it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A variable that cannot be read: its file is missing, or both it and its file are given. */
export class VariableError extends Error {
  override name = 'VariableError';
  readonly variable: string;
  readonly hint: string;

  constructor(variable: string, message: string, hint: string) {
    super(message);
    this.variable = variable;
    this.hint = hint;
  }
}

/** Names that can be a variable's, so that none leads out of the folder of secrets. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The folders of secrets. */
export function secretFolders({ WRAPUP_SECRETS_DIR }: NodeJS.ProcessEnv = process.env): string[] {
  return (WRAPUP_SECRETS_DIR ?? '').split(':').filter(Boolean);
}

/**
 * The file that holds the value of X, when it comes from one: named by `X_FILE`, or in a folder of secrets. Where none has
 * it, the one in the last folder, which may come.
 */
export function variableFile(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env[`${name}_FILE`]) return env[`${name}_FILE`];
  if (env[name] || !NAME.test(name)) return undefined;
  const files = secretFolders(env).map((folder) => join(folder, name));
  return files.find((file) => existsSync(file)) ?? files.at(-1);
}

/**
 * Value of the variable, else of its file, whose trailing line break is removed.
 *
 * @returns undefined when neither is there; an empty text when it is set to nothing
 * @throws VariableError
 */
export function readVariable(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = env[name];
  const file = variableFile(name, env);
  if (file === undefined) return value;
  const named = env[`${name}_FILE`];
  if (value && named) throw new VariableError(name, `both ${name} and ${name}_FILE are set`, 'unset one of them');
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    if (!named && code === 'ENOENT') return value;
    throw new VariableError(
      name,
      `${named ? `${name}_FILE` : 'WRAPUP_SECRETS_DIR'} names ${file}, which cannot be read (${code})`,
      'mount the file, or correct the path',
    );
  }
}

/** One `${…}` that could not be replaced. */
export interface PlaceholderProblem {
  code: 'unset-variable' | 'unreadable-variable' | 'bad-placeholder';
  message: string;
  hint: string;
}

export interface Replaced {
  text: string;
  /** Names of the variables that were used. */
  variables: string[];
  problems: PlaceholderProblem[];
}

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g;
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** docker-compose.yml names the variables that each service gets. */
function inContainer(env: NodeJS.ProcessEnv): string {
  return env.WRAPUP_CONTAINER === '1' ? '; docker-compose.yml says which services get it' : '';
}

/** Replaces `${X}` and `${X:-default}`; `$${` stands for a literal `${`. An unset variable is a problem, never empty text. */
export function replaceVariables(text: string, env: NodeJS.ProcessEnv): Replaced {
  const variables: string[] = [];
  const problems: PlaceholderProblem[] = [];
  const replaced = text.replace(PLACEHOLDER, (whole, inside: string | undefined, close: string | undefined) => {
    if (whole === '$${') return '${';
    const match = close === '' ? null : INSIDE.exec(inside as string);
    if (!match) {
      const said = close === '' ? 'a "${" that never closes' : `"${whole}" is no variable`;
      problems.push({
        code: 'bad-placeholder',
        message: said,
        hint: 'write ${NAME} or ${NAME:-default}; write $${ for a literal ${',
      });
      return '';
    }
    const name = match[1] as string;
    variables.push(name);
    try {
      const value = readVariable(name, env);
      // As in a shell, `:-` also stands in for a variable that is set to nothing.
      if (match[2] !== undefined && !value) return match[2];
      if (value !== undefined) return value;
      problems.push({
        code: 'unset-variable',
        message: `the environment variable ${name} is not set`,
        hint: `set ${name}, or ${name}_FILE to a file that holds it, or write \${${name}:-default}${inContainer(env)}`,
      });
    } catch (error) {
      if (!(error instanceof VariableError)) throw error;
      problems.push({ code: 'unreadable-variable', message: error.message, hint: error.hint });
    }
    return '';
  });
  return { text: replaced, variables, problems };
}
