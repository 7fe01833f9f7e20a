export { makeProgram } from './program.ts';
export { EXIT } from './terminal/exit.ts';
