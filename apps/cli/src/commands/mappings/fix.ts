import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { FixedFile } from '@wrapup/config';
import { keepBackup, replaceFile } from '@wrapup/config/replace-file';
import { clean } from '../../terminal/clean.ts';
import { diffLines } from '../../terminal/line-diff.ts';
import { count, type Output } from '../../terminal/output.ts';

/** What became of a file: `written`; `would_change` under `--dry-run`; `changed_meanwhile`, so that it was left alone. */
export interface FixReport {
  file: string;
  state: 'written' | 'would_change' | 'changed_meanwhile' | 'not_writable';
  fixes: number;
  /** Where its text from before is kept. */
  backup?: string;
}

/** Writes fixed files, each with its text from before beside it, or shows what would change. */
export function reportFixes(files: readonly FixedFile[], dryRun: boolean, output: Output): FixReport[] {
  return files.map((fixed) => {
    const file = relative(process.cwd(), fixed.file);
    const shown = output.style('bold', clean(file));
    const report: FixReport = {
      file,
      fixes: fixed.fixes.length,
      ...(dryRun ? { state: 'would_change' } : write(fixed)),
    };
    if (report.state === 'changed_meanwhile')
      output.remark(`${clean(file)} was changed meanwhile, and left alone: run it again`);
    else if (report.state === 'not_writable') output.remark(`${clean(file)} could not be written`);
    else {
      const done = dryRun ? 'would change' : 'fixed';
      const kept = report.backup === undefined ? '' : `; as it was: ${clean(report.backup)}`;
      output.line(`${output.style('green', done)} ${shown}: ${count(report.fixes, 'line')}${kept}`);
    }
    if (dryRun)
      for (const line of diffLines(fixed.before, fixed.after))
        output.line(output.style(COLOURS[line.charAt(0)] ?? 'dim', clean(line, LONGEST_LINE)));
    return report;
  });
}

const COLOURS: Record<string, 'red' | 'green'> = { '-': 'red', '+': 'green' };
const LONGEST_LINE = 2000;

function write({ file, before, after }: FixedFile): Pick<FixReport, 'state' | 'backup'> {
  try {
    // An editor may have saved it since.
    if (readFileSync(file, 'utf8') !== before) return { state: 'changed_meanwhile' };
    const backup = keepBackup(file, before);
    replaceFile(file, after);
    return { state: 'written', backup: relative(process.cwd(), backup) };
  } catch {
    return { state: 'not_writable' };
  }
}
