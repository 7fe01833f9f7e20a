#!/usr/bin/env node
/** The `wrapup` command, as `npx --no wrapup` finds it in this repository. */
process.argv.splice(2, 0, 'apps/cli/src/main.ts');
await import('./run.mjs');
