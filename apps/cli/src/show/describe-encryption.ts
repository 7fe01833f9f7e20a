import type { EncryptionAudit } from '@wrapup/queue';
import { count, type Output } from '../terminal/output.ts';

/** Which key is in force, and what others have sealed that is still there. */
export function describeEncryption(
  { key, configured, sealed, plain, missing, complete }: EncryptionAudit,
  output: Output,
): string[] {
  const head = (verdict: string) => `${output.style('bold', 'Encryption')}: ${verdict}`;
  const others = configured.slice(1).map((id) => `${id} (${count(sealed[id] ?? 0, 'value')} left that it sealed)`);
  const lines = key
    ? [head(`key ${key} is in force, ${count(sealed[key] ?? 0, 'value')} sealed with it, ${plain} not encrypted`)]
    : [head('off: payloads and tokens are stored as they are')];
  if (others.length > 0) lines.push(`  also opens: ${others.join(', ')}`);
  for (const id of missing) {
    const what = `${count(sealed[id] ?? 0, 'value')} sealed with key ${id}, which WRAPUP_ENCRYPTION_KEY does not hold here`;
    lines.push(`  ${output.style('red', 'missing:')} ${what}`);
    lines.push('    put that key back behind the current one until nothing is left; calls that need it wait meanwhile');
  }
  if (!complete) lines.push('  there are more values than were counted');
  return lines;
}
