export { EXIT } from './exit.ts';
export { makeProgram } from './program.ts';
