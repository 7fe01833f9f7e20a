import { HOUR_MS } from '../redis/spans.ts';

/** A share in per cent, as people read it. */
export function showShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const share = (100 * part) / whole;
  // What is not all is never shown as all.
  return part < whole && share > 99.9
    ? '99.9 %'
    : `${share >= 99.95 || share < 10 ? Math.round(share * 10) / 10 : share.toFixed(share > 99 ? 1 : 0)} %`;
}

/** A time in its own unit: `0.42 s`, `12.3 s`, `4 min`, `1.5 h`. @param ms undefined where there is none */
export function showTime(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 950) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < HOUR_MS ? `${Math.round(ms / 60_000)} min` : `${(ms / HOUR_MS).toFixed(1)} h`;
}
