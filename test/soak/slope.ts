/**
 * Whether a series of figures rises, by methods that a few outliers do not sway: the slope of Theil and Sen, the middle of the
 * slopes between all pairs of points (Sen 1968, https://doi.org/10.1080/01621459.1968.10480934), and bounds for it by the
 * variance of Kendall's S, widened for figures that follow each other closely (Hamed and Rao 1998,
 * https://doi.org/10.1016/S0022-1694(97)00125-X). Points that resemble their neighbours say less than their number promises.
 */
export interface Slope {
  /** By unit of x. */
  slope: number;
  /** Bounds within which it lies with 99 %. */
  low: number;
  high: number;
  /** The line's value in the middle of the points. */
  level: number;
  points: number;
}

export type Point = readonly [x: number, y: number];

/** Standard deviations on either side that hold 99 % of a normal distribution. */
const Z_99 = 2.5758;
/** Below it bounds mean nothing. */
export const LEAST_POINTS = 20;

/** @returns undefined for less than LEAST_POINTS */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const n = points.length;
  if (n < LEAST_POINTS) return undefined;
  const slopes: number[] = [];
  for (let i = 0; i < n; i += 1)
    for (let j = i + 1; j < n; j += 1) {
      const [[x0, y0], [x1, y1]] = [points[i], points[j]] as [Point, Point];
      if (x1 !== x0) slopes.push((y1 - y0) / (x1 - x0));
    }
  slopes.sort((a, b) => a - b);
  const slope = quantile(slopes, 0.5);
  const rest = points.map(([x, y]) => y - slope * x);
  const wide = (n * (n - 1) * (2 * n + 5)) / 18;
  const reach = (Z_99 * Math.sqrt(wide * correction(rest))) / slopes.length / 2;
  return {
    slope,
    low: quantile(slopes, Math.max(0, 0.5 - reach)),
    high: quantile(slopes, Math.min(1, 0.5 + reach)),
    level:
      quantile(
        [...rest].sort((a, b) => a - b),
        0.5,
      ) +
      (slope * ((points[0] as Point)[0] + (points[n - 1] as Point)[0])) / 2,
    points: n,
  };
}

/** By how much the variance is larger than of points that have nothing to do with each other; never below 1. */
function correction(rest: readonly number[]): number {
  const n = rest.length;
  const ranks = ranksOf(rest);
  const mean = (n + 1) / 2;
  const deviations = ranks.map((rank) => rank - mean);
  const variance = deviations.reduce((sum, one) => sum + one * one, 0);
  if (variance === 0) return 1;
  // Further apart than a quarter of the points there are too few pairs to say anything.
  const furthest = Math.floor(n / 4);
  const significant = Z_99 / Math.sqrt(n);
  let sum = 0;
  for (let apart = 1; apart <= furthest; apart += 1) {
    let together = 0;
    for (let i = 0; i + apart < n; i += 1) together += (deviations[i] as number) * (deviations[i + apart] as number);
    const likeness = together / variance;
    if (Math.abs(likeness) > significant) sum += (n - apart) * (n - apart - 1) * (n - apart - 2) * likeness;
  }
  return Math.max(1, 1 + (2 / (n * (n - 1) * (n - 2))) * sum);
}

/** Equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]?.value === order[from]?.value) to += 1;
    for (const { index } of order.slice(from, to)) ranks[index] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return below + (above - below) * (place - Math.floor(place));
}
