import type { Place } from '@wrapup/findings';
import type { Coverage, Difference, FileOutcome } from '@wrapup/fixtures';
import { describeFindings } from '../connect/settings.ts';
import { clean } from '../terminal/clean.ts';
import { count, type Output } from '../terminal/output.ts';

/** Characters of a value that are shown. */
const MAX_VALUE_LENGTH = 300;

const showPlace = ({ file, line }: Place) => `${clean(file)}:${line}`;

/** One fixture file: its findings, a line a test, what differs, and how much of the mapping was tried. */
export async function showFile(outcome: FileOutcome, coverage: boolean, output: Output): Promise<string[]> {
  const { style } = output;
  const lines = [
    `${style('bold', clean(outcome.file))}${outcome.mapping ? ` of ${clean(outcome.mapping)}` : ''}`,
    ...(await describeFindings(outcome.findings, output)).map((line) => `  ${line}`),
  ];
  for (const test of outcome.tests) {
    const mark = test.passed ? style('green', 'ok  ') : style('red', 'FAIL');
    lines.push(`  ${mark} ${clean(test.name)}${test.passed ? '' : style('dim', `  ${showPlace(test.at)}`)}`);
    for (const difference of test.differences) lines.push(...showDifference(difference, output));
  }
  if (outcome.coverage) lines.push(...showCoverage(outcome.coverage, coverage, output));
  return lines;
}

function showDifference({ what, expected, actual, because, from, at }: Difference, output: Output): string[] {
  const { style } = output;
  const expects = at ? style('dim', `  ${showPlace(at)}`) : '';
  return [
    `       ${style('bold', clean(what))}`,
    `         ${style('red', `- ${clean(expected, MAX_VALUE_LENGTH)}`)}${expects}`,
    `         ${style('green', `+ ${clean(actual, MAX_VALUE_LENGTH)}`)}${from ? style('dim', `  ${showPlace(from)}`) : ''}`,
    ...(because ? [`         ${clean(because, MAX_VALUE_LENGTH)}`] : []),
  ];
}

function showCoverage(coverage: Coverage, all: boolean, { style }: Output): string[] {
  const { lines, tried, inherited, inherited_tried, untried } = coverage;
  const whole = tried === lines;
  const own = `${tried} of ${count(lines, 'line')} tried`;
  const rest = inherited > 0 ? `, ${inherited_tried} of ${inherited} inherited` : '';
  const shown = [`  ${style(whole ? 'green' : 'yellow', own)}${rest}`];
  if (all || untried.length <= 3)
    for (const { what, problem, at } of untried)
      shown.push(style('dim', `    ${showPlace(at)} ${clean(what)}: ${problem}`));
  else shown.push(style('dim', `    --coverage lists the ${untried.length} others`));
  return shown;
}
