/**
 * Environment variables, each of which may also come from a file: `X_FILE` names one that holds the value of `X`, as
 * Docker and Kubernetes mount secrets.
 */
import { readFileSync } from 'node:fs';

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

/** The path in `X_FILE`, when the value of X comes from a file. */
export function variableFile(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env[`${name}_FILE`] || undefined;
}

/**
 * Value of the variable, or of the file that `X_FILE` names (its trailing line break removed).
 *
 * @returns undefined when neither is set; an empty text when it is set to nothing
 * @throws VariableError
 */
export function readVariable(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = env[name];
  const file = variableFile(name, env);
  if (file === undefined) return value;
  if (value) {
    throw new VariableError(name, `both ${name} and ${name}_FILE are set`, `unset one of them`);
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new VariableError(
      name,
      `${name}_FILE names ${file}, which cannot be read (${code})`,
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
        hint: `set ${name}, or ${name}_FILE to a file that holds it, or write \${${name}:-default}`,
      });
    } catch (error) {
      if (!(error instanceof VariableError)) throw error;
      problems.push({ code: 'unreadable-variable', message: error.message, hint: error.hint });
    }
    return '';
  });
  return { text: replaced, variables, problems };
}
