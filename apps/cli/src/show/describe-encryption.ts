import type { EncryptionAudit, KeyUse } from '@wrapup/queue';
import { count, type Output } from '../terminal/output.ts';

/**
 * Which key is in force, and what others have sealed that is still there: of the installation, then of each client with keys
 * of its own.
 * @param client only of this one
 */
export function describeEncryption(audit: EncryptionAudit, output: Output, client?: string): string[] {
  const { clients, complete, ...installation } = audit;
  const lines = client === undefined ? describeInstallation(installation, output) : [];
  for (const [name, use] of Object.entries(clients).sort()) lines.push(...describeClient(name, use, output));
  if (!complete) lines.push('  there are more values than were counted');
  return lines;
}

function describeInstallation(use: KeyUse, output: Output): string[] {
  const { key, sealed, plain } = use;
  const verdict = key
    ? `key ${key} is in force, ${count(sealed[key] ?? 0, 'value')} sealed with it, ${plain} not encrypted`
    : 'off: payloads and tokens are stored as they are';
  return [
    `${output.style('bold', 'Encryption')}: ${verdict}`,
    ...describeOlder(use),
    ...describeMissing(use, 'WRAPUP_ENCRYPTION_KEY does not hold here', output),
  ];
}

function describeClient(name: string, use: KeyUse, output: Output): string[] {
  const { key, configured, sealed, plain } = use;
  const others = Object.entries(sealed).filter(([id]) => !configured.includes(id) && !use.missing.includes(id));
  const left = others.reduce((sum, [, values]) => sum + values, 0);
  const verdict = key
    ? `key ${key} of its own is in force, ${count(sealed[key] ?? 0, 'value')} sealed with it, ${plain} not encrypted`
    : `no key of its own is known here, ${plain} not encrypted`;
  const lines = [`${output.style('bold', `Client ${name}`)}: ${verdict}`, ...describeOlder(use)];
  if (left > 0) {
    const how = key ? `: \`wrapup encryption migrate --client ${name}\` takes them over` : '';
    lines.push(`  ${count(left, 'value')} left under the key of the installation${how}`);
  }
  return [...lines, ...describeMissing(use, `client ${name} does not have here`, output)];
}

function describeOlder({ configured, sealed }: KeyUse): string[] {
  const others = configured.slice(1).map((id) => `${id} (${count(sealed[id] ?? 0, 'value')} left that it sealed)`);
  return others.length > 0 ? [`  also opens: ${others.join(', ')}`] : [];
}

function describeMissing({ missing, sealed }: KeyUse, where: string, output: Output): string[] {
  return missing.flatMap((id) => [
    `  ${output.style('red', 'missing:')} ${count(sealed[id] ?? 0, 'value')} sealed with key ${id}, which ${where}`,
    '    put that key back behind the current one until nothing is left; calls that need it wait meanwhile',
  ]);
}
