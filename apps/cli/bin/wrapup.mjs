#!/usr/bin/env node
/** Where npm's link for the command leads: on to the script that runs it on the pinned Node. */
process.argv.splice(2, 0, 'apps/cli/src/main.ts');
await import('../../../scripts/run.mjs');
