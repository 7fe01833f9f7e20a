import type { Finding } from '@wrapup/mapping';
import type { Route } from './config.ts';
import type { WrapupFile } from './schema.ts';

/** Voice platforms that tell when each turn of a call was said. Synthflow took its timeline away in October 2025. */
const TELL_TIMES: ReadonlySet<string> = new Set<string>([]);

/** A transcript that wants exact times is written for no call where no source tells them. */
export function checkTranscripts(file: WrapupFile, routes: Route[]): Finding[] {
  if (Object.values(file.sources).some(({ provider }) => TELL_TIMES.has(provider))) return [];
  const records = new Set(routes.flatMap(({ mapping }) => mapping.records));
  return [...records].flatMap(({ name, transcript }): Finding[] =>
    transcript?.times !== 'exact'
      ? []
      : [
          {
            severity: 'warning',
            code: 'transcript-without-times',
            message: `${name}: no source tells when each turn was said, so that no transcript is ever written`,
            hint: 'write transcript: estimated, which spreads the turns over the call, or take it out',
            at: transcript.at,
          },
        ],
  );
}
