/**
 * How this command is called here. What Wrapup says to do names commands as `wrapup …`; what is printed for people names
 * them as whoever reads it can call them: through npm, npx or docker compose, each of which says so in `WRAPUP_COMMAND`.
 */
const COMMANDS =
  'init|check|test|doctor|provision|schema|plan|send|demo|calls|parked|dead|replay|reconcile|backfill|connections|forget|--help';
const NAMED = new RegExp(`(?<![\\w/.@:-])wrapup (?=(?:${COMMANDS})(?![\\w]))`, 'g');

export function commandName(): string {
  return process.env.WRAPUP_COMMAND || 'wrapup';
}

/** The same text with commands as they are called here. */
export function callable(text: string): string {
  const name = commandName();
  return name === 'wrapup' ? text : text.replace(NAMED, `${name} `);
}
