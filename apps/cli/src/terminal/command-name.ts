/**
 * How this command is called here. Hints name commands as `wrapup …`; what is printed for people names them as they can be
 * called on this machine: through npm, npx or docker compose, each of which sets `WRAPUP_COMMAND`.
 */
const COMMANDS =
  'init|check|explain|test|doctor|provision|schema|plan|send|demo|calls|parked|dead|omissions|replay|reconcile|backfill|connections|forget|--help';
const NAMED = new RegExp(`(?<![\\w/.@:-])wrapup (?=(?:${COMMANDS})(?![\\w]))`, 'g');

function commandName(): string {
  return process.env.WRAPUP_COMMAND || 'wrapup';
}

/** The text with commands as they are called here. */
export function callable(text: string): string {
  const name = commandName();
  return name === 'wrapup' ? text : text.replace(NAMED, `${name} `);
}
