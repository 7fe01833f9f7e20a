/** Alerts about connections of which too many deliveries lose a field, to its client and to the installation. */
import { alertTargets, type Config, lostFieldsLimit } from '@wrapup/config';
import { type Notice, nameOmitted, OMISSIONS } from '@wrapup/destination';
import type { Store } from '@wrapup/queue';
import { addAlert } from './alerts.ts';

const HOUR_MS = 3600_000;
/** Fewer deliveries than this lose a field by chance. */
const MIN_LOST = 3;
/** Lines that an alert names. */
const LINES_NAMED = 3;

/**
 * Queues the alert about a connection of which more deliveries of the last hour lost a field than may. Once, until it is well
 * below again; sooner, and at most once an hour, only where further fields are lost. Does nothing where no connection is
 * named for it.
 */
export async function alertOmissions(
  store: Store,
  config: Config,
  connection: string,
  now = Date.now(),
): Promise<void> {
  const limit = lostFieldsLimit(config, connection);
  if (limit >= 100 || alertTargets(config, connection).length === 0) return;
  const { omissions } = store;
  const [{ calls, lost, lines }, alerted] = await Promise.all([
    omissions.share(connection, now),
    omissions.readAlerted(connection),
  ]);
  if (lost < MIN_LOST || lost * 100 <= limit * calls) {
    if (alerted && lost * 200 <= limit * calls) await omissions.noteAlerted(connection, undefined);
    return;
  }
  const isNew = (line: string) => !alerted?.lines.includes(line);
  if (alerted && (now - alerted.at < HOUR_MS || !lines.some(isNew))) return;
  const known = (await omissions.list({ connections: [connection], since: now - HOUR_MS, now })).filter(
    ({ id }) => alerted === undefined || isNew(id),
  );
  const named = known
    .slice(0, LINES_NAMED)
    .map((line) => `${nameOmitted(line)}: ${OMISSIONS[line.code].says} (${line.at.file}:${line.at.line}).`);
  const share = Math.round((100 * lost) / calls);
  const notice: Omit<Notice, 'id'> = {
    type: 'connection.fields_lost',
    at: now,
    text: `Connection ${connection}: ${lost} of ${calls} deliveries of the last hour lost a field (${share} %). ${named.join(' ')} The page Omissions and \`wrapup omissions\` say what to do, and replay them once that is done.`,
    data: {
      ...{ connection, calls, lost, share },
      fields: known.map(nameOmitted).slice(0, LINES_NAMED).join(', '),
      reasons: [...new Set(known.map(({ code }) => code))].slice(0, LINES_NAMED).join(', '),
    },
  };
  await addAlert(store, config, connection, notice, [Math.floor(now / HOUR_MS), ...lines]);
  await omissions.noteAlerted(connection, { at: now, lines: [...new Set([...(alerted?.lines ?? []), ...lines])] });
}
