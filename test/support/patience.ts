/**
 * How long tests wait for what has to come, ms: far longer than it takes, as a machine that many share is ten times slower
 * than one alone. Only what never comes takes that long. `expect.poll` waits as long by vitest.config.ts.
 */
export const PATIENCE = 120_000;
