/** The main finding, computed from the report: which facet gives way, at which epsilon, and what the prior adds. */
import { type CellReport, DECISION_FACET, type Report } from '@facet/contracts';
import type { Block, View } from './view.js';

/** Success from which a facet counts as giving way; epsilons far above it are saturated and rank nothing. */
const GIVES_WAY = 0.5;
/** Below so many attacked samples a rate alone misleads. */
const FEW_SAMPLES = 30;

export type Gain = Report['gains'][number];

export type PriorFinding =
  | { readonly kind: 'gain'; readonly best: Gain & { readonly gain: number } }
  /** No objective with a prior has a figure. */
  | { readonly kind: 'no-sfa' }
  | { readonly kind: 'no-facet' }
  /** Both ran, on different facets. */
  | { readonly kind: 'incomparable' }
  | { readonly kind: 'no-facets' };

export interface Findings {
  /** Of the weakest facet, at the smallest epsilon at which it gives way, else at the largest that was tried. */
  readonly weakest: CellReport | undefined;
  readonly givesWay: boolean;
  /** The attack on the decision itself at that epsilon; where no facet has a figure, at an epsilon of its own. */
  readonly direct: CellReport | undefined;
  readonly prior: PriorFinding;
  readonly fewSamples: boolean;
}

export function findingsOf({ report, reference }: View): Findings {
  const ranked = report.facets.filter(({ rank }) => rank !== null);
  const first = ranked.reduce<(typeof ranked)[number] | undefined>(
    (best, one) => (best === undefined || one.rank! < best.rank! ? one : best),
    undefined,
  );
  const weakest = reference && first && telling(reference, first.facet);
  const direct = reference && directOf(reference, weakest?.epsilon);
  const shown = weakest ?? direct;
  return {
    weakest,
    direct,
    givesWay: (shown?.attackSuccessRate ?? 0) >= GIVES_WAY,
    prior: priorOf(report, reference),
    fewSamples: shown !== undefined && shown.attempted < FEW_SAMPLES,
  };
}

/** The cell that tells most about a facet, by its strongest objective that has a figure. */
function telling(block: Block, facet: string): CellReport | undefined {
  for (const objective of ['sfa', 'facet', 'prior-only', 'direct'] as const) {
    const cells = block.epsilons
      .map((epsilon) => block.cell({ facet, objective }, epsilon))
      .filter((cell) => cell !== undefined && cell.attackSuccessRate !== null);
    const cell = cells.find((one) => one!.attackSuccessRate! >= GIVES_WAY) ?? cells.at(-1);
    if (cell !== undefined) return cell;
  }
  return undefined;
}

function directOf(block: Block, epsilon: number | undefined): CellReport | undefined {
  if (epsilon === undefined) return telling(block, DECISION_FACET);
  const cell = block.cell({ facet: DECISION_FACET, objective: 'direct' }, epsilon);
  return cell?.attackSuccessRate === null ? undefined : cell;
}

function priorOf(report: Report, reference: Block | undefined): PriorFinding {
  const gains = report.gains.filter(
    ({ search, norm }) => search === reference?.search && norm === reference.norm,
  );
  if (gains.length === 0) return { kind: 'no-facets' };
  const measured = gains.filter((one): one is Gain & { gain: number } => one.gain !== null);
  if (measured.length > 0)
    return { kind: 'gain', best: measured.reduce((best, one) => (one.gain > best.gain ? one : best)) };
  if (gains.every(({ sfa }) => sfa === null)) return { kind: 'no-sfa' };
  if (gains.every(({ facet }) => facet === null)) return { kind: 'no-facet' };
  return { kind: 'incomparable' };
}
