/** Step lengths over a run, as shares of the first. */
import type { StepSchedule } from '@facet/contracts';

/** The share at `step` of `steps`: cosine falls to zero after the last (Loshchilov and Hutter, 2017), halving every quarter. */
export function shareOf(schedule: StepSchedule, step: number, steps: number): number {
  switch (schedule) {
    case 'constant':
      return 1;
    case 'cosine':
      return (1 + Math.cos((Math.PI * step) / steps)) / 2;
    case 'halving':
      return 2 ** -Math.floor((4 * step) / steps);
  }
}
