/** Runs Quint on the model. Its simulator in TypeScript is part of the package: nothing is downloaded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

export const MODEL = resolve(import.meta.dirname, '../../docs/model/wrapup.qnt');
/** Names of what holds in every state, as the model has them. */
export const INVARIANTS = ['kept', 'once', 'shown', 'newer', 'owned'] as const;

const CLI = join(createRequire(import.meta.url).resolve('@informalsystems/quint/package.json'), '../dist/src/cli.js');

export interface QuintOptions {
  /** Path of the model. Default: the one in docs/. */
  model?: string;
  seed: number;
  samples: number;
  steps: number;
  invariants: readonly string[];
  /** Folder that the traces are written to, `0.itf.json` and so on. Default: none are. */
  traces?: string;
}

/**
 * Takes random steps of the model and looks at each state.
 * @returns whether a state broke an invariant
 * @throws Error when Quint cannot run the model
 */
export async function runModel(options: QuintOptions): Promise<'holds' | 'violated'> {
  const { model = MODEL, seed, samples, steps, invariants, traces } = options;
  const args = ['run', model, '--main', 'wrapup', '--backend', 'typescript', '--verbosity', '1'];
  args.push('--seed', String(seed), '--max-samples', String(samples), '--max-steps', String(steps));
  args.push('--invariants', ...invariants);
  if (traces) args.push('--mbt', '--n-traces', String(samples), '--out-itf', join(traces, '{seq}.itf.json'));
  const { code, said } = await runQuint(args);
  if (code === 0) return 'holds';
  if (/violation|violated/i.test(said)) return 'violated';
  throw new Error(`quint ${args.join(' ')} ended with ${code}:\n${said}`);
}

/** @returns what it says is wrong with the types of the model; nothing where they are right */
export async function checkTypes(): Promise<string> {
  const { code, said } = await runQuint(['typecheck', MODEL]);
  return code === 0 ? '' : said;
}

async function runQuint(args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}
