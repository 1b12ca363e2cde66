/** Numbers as a report writes them. One place, so that the page, the terminal and JUnit say the same. */
import type { Norm } from '@facet/contracts';

/** What stands where a number is undefined. */
export const UNDEFINED = '–';

const NO_BREAK_SPACE = '\u00a0';
const MINUS = '\u2212';

/** A rate in percent without its sign: 0.714 is "71.4"; null is a dash. */
export const percentage = (rate: number | null, digits = 1): string =>
  rate === null ? UNDEFINED : (rate * 100).toFixed(digits);

/** A rate with its sign: "71.4 %"; null is a dash. */
export const percent = (rate: number | null, digits = 1): string =>
  rate === null ? UNDEFINED : `${percentage(rate, digits)}${NO_BREAK_SPACE}%`;

/** A difference of rates in percentage points, signed: "+38.8", "−1.2", "0.0"; null is a dash. */
export function points(difference: number | null): string {
  if (difference === null) return UNDEFINED;
  const text = Math.abs(difference * 100).toFixed(1);
  if (Number(text) === 0) return text;
  return `${difference < 0 ? MINUS : '+'}${text}`;
}

/** "+34.1 to +42.0", or a dash. */
export const pointsInterval = (interval: readonly [number, number] | null): string =>
  interval === null ? UNDEFINED : `${points(interval[0])} to ${points(interval[1])}`;

/** 0.0078431 is "2/255": a budget in the steps of an 8-bit pixel, with at most three significant digits. */
export const epsilonText = (epsilon: number): string => `${steps(epsilon)}/255`;

/** The numerator of {@link epsilonText}. */
export const steps = (epsilon: number): string => String(Number((epsilon * 255).toPrecision(3)));

/** A score, a threshold or another number without a unit, in four significant digits. */
export const scalar = (value: number | null): string =>
  value === null ? UNDEFINED : String(Number(value.toPrecision(4))).replace('-', MINUS);

export const normText = (norm: Norm): string => (norm === 'linf' ? 'L∞' : 'L2');

/** "1 sample", "3 samples". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** "67.2–74.6 %", or "no interval". */
export const intervalText = (interval: readonly [number, number] | null): string =>
  interval === null ? 'no interval' : `${percentage(interval[0])}–${percent(interval[1])}`;
