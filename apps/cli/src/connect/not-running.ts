/**
 * Whether the command was called through npm in a folder where no `npm start` runs, whose values it would have taken:
 * `scripts/run.mjs` says so.
 */
export function nothingRunsHere(): boolean {
  return process.env.WRAPUP_STARTED === 'no';
}

/** What to do then. */
export const START_IT =
  '`npm start` is not running here: start it in another terminal, or say in .env where everything is (cp .env.example .env)';
