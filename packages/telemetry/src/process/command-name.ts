/**
 * How the command line is called here. Messages and hints name commands as `wrapup …`, and are kept so; what is shown to
 * people (terminal, pages, alerts, logs, answers) names them as they can be called on this installation: through npm, npx or
 * docker compose, each of which sets `WRAPUP_COMMAND` for every process.
 */

/** Every command: other words behind "wrapup" are a text about something else. */
export const COMMANDS = [
  ...[
    'audit',
    'backfill',
    'calls',
    'check',
    'choices',
    'client',
    'connections',
    'dead',
    'demo',
    'digests',
    'doctor',
    'encryption',
  ],
  ...['explain', 'forget', 'init', 'omissions', 'parked', 'plan', 'provision', 'reconcile', 'replay', 'schema'],
  ...['send', 'test', 'token', 'user'],
] as const;

const NAMED = new RegExp(`(?<![\\w/.@:-])wrapup (?=(?:${COMMANDS.join('|')})(?![\\w-])|--help)`, 'g');

/**
 * The text with commands as they are called here.
 * @param quote what a name of the command goes through where the text is markup
 */
export function callable(text: string, quote: (name: string) => string = (name) => name): string {
  const name = process.env.WRAPUP_COMMAND || 'wrapup';
  return name === 'wrapup' ? text : text.replace(NAMED, `${quote(name).replaceAll('$', '$$$$')} `);
}
