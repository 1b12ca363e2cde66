/** From the stored outcomes of one cell, and the scores of clean images, to their figures. Pure. */
import {
  ATTRIBUTES,
  type Cell,
  type CellReport,
  type CleanReport,
  type CleanScore,
  type Features,
  formatSearch,
  type Outcome,
  type Success,
} from '@facet/contracts';
import {
  accuracy,
  apcer,
  attackSuccess,
  bpcer,
  cleanSummary,
  eerThreshold,
  robustSummary,
  successAmong,
  type SuccessBits,
  successOf,
  wilsonInterval,
  worstCase,
} from '@facet/metrics';
import { InputError } from '@facet/runtime';

/** Fewer right decisions than this on either side say nothing about a group of people. */
const MIN_GROUP = 20;

/** What is known of each test sample, by its key. */
export type Known = ReadonlyMap<string, CleanScore>;

/** A cell's figures, and sample by sample what intervals are computed from. */
export interface JudgedCell {
  readonly report: Omit<CellReport, 'robustAucInterval'>;
  readonly keys: readonly string[];
  readonly live: Uint8Array;
  readonly bits: SuccessBits;
  /** Each sample at the worse of its clean and its adversarial score. */
  readonly worstScores: Float64Array;
}

const asSample = ({ score, label, species }: CleanScore) => ({ score, live: label === 'live', species });

/** Without `aucInterval`, which needs draws. */
export function judgeClean(
  { threshold }: Pick<Features, 'threshold'>,
  scores: readonly CleanScore[],
): Omit<CleanReport, 'aucInterval'> {
  const samples = scores.filter(({ split }) => split === 'test').map(asSample);
  const { accuracy, ...rest } = cleanSummary(samples, threshold.value);
  if (accuracy === null) throw new InputError('has no test samples', { field: 'dataset' });
  return {
    split: 'test',
    thresholdSource: threshold.source,
    accuracy,
    ...rest,
    calibrated: calibrated(scores),
  };
}

function calibrated(scores: readonly CleanScore[]): CleanReport['calibrated'] {
  const of = (wanted: string) => scores.filter(({ split }) => split === wanted).map(asSample);
  const test = of('test');
  for (const split of ['dev', 'test'] as const) {
    const threshold = eerThreshold(of(split));
    if (threshold === null) continue;
    return {
      threshold,
      split,
      accuracy: accuracy(test, threshold),
      apcer: apcer(test, threshold),
      bpcer: bpcer(test, threshold),
    };
  }
  return null;
}

export function judgeCell(
  cell: Cell,
  outcomes: readonly Outcome[],
  threshold: number,
  calibratedThreshold: number | null,
  known: Known,
): JudgedCell {
  const judged = outcomes.map((outcome) => ({ ...outcome, live: outcome.label === 'live' }));
  const success = attackSuccess(judged, threshold);
  const robust = robustSummary(judged, threshold);
  const report = {
    id: cell.id,
    facet: cell.facet,
    objective: cell.objective,
    search: formatSearch(cell.search),
    norm: cell.threat.norm,
    epsilon: cell.threat.epsilon,
    samples: outcomes.length,
    attempted: success.attempted,
    succeeded: success.succeeded,
    attackSuccessRate: success.rate,
    interval: wilsonInterval(success.succeeded, success.attempted),
    directions: success.directions,
    bySpecies: success.bySpecies,
    byIllumination: grouped(judged, threshold, ({ illumination }) => illumination),
    byAttribute: byAttribute(outcomes, known),
    robustApcer: robust.apcer,
    robustBpcer: robust.bpcer,
    robustAuc: robust.auc,
    calibrated: calibratedThreshold === null ? null : atThreshold(judged, calibratedThreshold),
    maxLinf: outcomes.reduce((max, { linf }) => Math.max(max, linf), 0),
    meanL2: outcomes.reduce((sum, { l2 }) => sum + l2, 0) / outcomes.length,
  };
  return {
    report,
    keys: outcomes.map(({ key }) => key),
    live: Uint8Array.from(judged, ({ live }) => Number(live)),
    bits: {
      attempted: Uint8Array.from(outcomes, ({ correct }) => Number(correct)),
      fooled: Uint8Array.from(outcomes, ({ fooled }) => Number(fooled)),
    },
    worstScores: Float64Array.from(worstCase(judged), ({ score }) => score),
  };
}

type Judged = Outcome & { readonly live: boolean };

function atThreshold(judged: readonly Judged[], threshold: number): CellReport['calibrated'] {
  const robust = robustSummary(judged, threshold);
  return {
    attackSuccessRate: successAmong(judged, threshold).rate,
    robustApcer: robust.apcer,
    robustBpcer: robust.bpcer,
  };
}

/** Success by a name of the samples', in the order of names; samples without one are in no group. */
function grouped(
  judged: readonly Judged[],
  threshold: number,
  nameOf: (outcome: Judged) => string | null,
): Record<string, Success> {
  const groups = new Map<string, Judged[]>();
  for (const one of judged) {
    const name = nameOf(one);
    if (name === null) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  const ordered = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(ordered.map(([name, group]) => [name, { ...successAmong(group, threshold) }]));
}

/** Success among people with an attribute, and without it; in one pass, for there are many attributes and cells. */
function byAttribute(outcomes: readonly Outcome[], known: Known): CellReport['byAttribute'] {
  const [attempted, fooled] = [0, 1].map(() => ATTRIBUTES.map(() => ({ '0': 0, '1': 0 })));
  for (const outcome of outcomes) {
    const attributes = known.get(outcome.key)?.attributes;
    if (!outcome.correct || attributes == null) continue;
    for (let bit = 0; bit < ATTRIBUTES.length; bit++) {
      const digit = attributes[bit] as '0' | '1';
      attempted[bit][digit]++;
      if (outcome.fooled) fooled[bit][digit]++;
    }
  }
  return Object.fromEntries(
    ATTRIBUTES.flatMap((name, bit) => {
      const among = (digit: '0' | '1'): Success => successOf(attempted[bit][digit], fooled[bit][digit]);
      const [present, absent] = [among('1'), among('0')];
      return Math.min(present.attempted, absent.attempted) < MIN_GROUP ? [] : [[name, { present, absent }]];
    }),
  );
}
