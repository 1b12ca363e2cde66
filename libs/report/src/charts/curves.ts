/**
 * Attack success over epsilon for one facet. Charts of one block share their axes, so that a page of them compares.
 * Colours are the page's CSS variables, so the picture follows its theme.
 */
import { DECISION_FACET, OBJECTIVES, type ObjectiveName } from '@facet/contracts';
import type { TopLevelSpec } from 'vega-lite';
import { steps } from '../format.js';
import type { Block, Row } from '../view.js';
import { DATA } from './svg.js';

const WIDTH = 250;
const HEIGHT = 165;
const FONT = 'system-ui, sans-serif';

/** How each objective is drawn; the shape and the dashes say it without colour. */
export const STYLES: Readonly<Record<ObjectiveName, { shape: string; dash: number[] }>> = {
  direct: { shape: 'circle', dash: [7, 3] },
  facet: { shape: 'square', dash: [1, 0] },
  sfa: { shape: 'triangle-up', dash: [1, 0] },
  'prior-only': { shape: 'diamond', dash: [4, 2, 1, 2] },
  control: { shape: 'cross', dash: [1, 3] },
  'all-facets': { shape: 'triangle-down', dash: [6, 2, 2, 2] },
};

export const colourOf = (objective: ObjectiveName): string => `var(--${objective})`;

interface Point {
  readonly objective: ObjectiveName;
  /** In steps of an 8-bit pixel. */
  readonly epsilon: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** A facet's own curves, and the direct attack on the decision to compare them with. */
export function curveRows(block: Block, facet: string): Row[] {
  const own = block.rows.filter((row) => row.facet === facet);
  if (facet === DECISION_FACET) return own;
  const direct = block.rows.filter((row) => row.facet === DECISION_FACET && row.objective === 'direct');
  return [...direct, ...own];
}

/** The points of one curve, from success 0 at epsilon 0: an image that is left alone keeps its right decision. */
function pointsOf(block: Block, row: Row): Point[] {
  const measured = block.epsilons.flatMap((epsilon): Point[] => {
    const cell = block.cell(row, epsilon);
    if (cell === undefined || cell.attackSuccessRate === null) return [];
    const rate = cell.attackSuccessRate;
    const [low, high] = cell.interval ?? [rate, rate];
    return [{ objective: row.objective, epsilon: epsilon * 255, rate, low, high }];
  });
  if (measured.length === 0) return [];
  return [{ objective: row.objective, epsilon: 0, rate: 0, low: 0, high: 0 }, ...measured];
}

/** What the picture of a facet is drawn from. */
export const curvePoints = (block: Block, facet: string): readonly object[] =>
  curveRows(block, facet).flatMap((row) => pointsOf(block, row));

/** The chart that all facets of a block share; each brings its {@link curvePoints}. */
export function curveChart(block: Block): TopLevelSpec {
  const ticks = block.epsilons.map((epsilon) => Number(steps(epsilon)));
  const domain = [...OBJECTIVES];
  const stroke = {
    field: 'objective',
    type: 'nominal' as const,
    legend: null,
    scale: { domain, range: domain.map(colourOf) },
  };
  const x = {
    field: 'epsilon',
    type: 'quantitative' as const,
    title: 'epsilon, n/255',
    scale: { domain: [0, Math.max(...ticks)], nice: false },
    axis: { values: [0, ...ticks], labelOverlap: 'parity' as const, labelFlush: false, format: '~g' },
  };
  const scale = { domain: [0, 1] };
  const axis = { values: [0, 0.25, 0.5, 0.75, 1], format: '.0%' };
  const y = { field: 'rate', type: 'quantitative' as const, title: null, scale, axis };
  const band = { field: 'low', type: 'quantitative' as const, title: null, scale, axis };
  const text = { labelFont: FONT, titleFont: FONT, labelColor: 'var(--quiet)', titleColor: 'var(--quiet)' };
  return {
    width: WIDTH,
    height: HEIGHT,
    background: 'transparent',
    data: { name: DATA },
    layer: [
      {
        mark: { type: 'area', opacity: 0.13 },
        encoding: { x, y: band, y2: { field: 'high' }, fill: stroke },
      },
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x,
          y,
          stroke,
          strokeDash: {
            field: 'objective',
            legend: null,
            scale: { domain, range: domain.map((objective) => STYLES[objective].dash) },
          },
        },
      },
      {
        transform: [{ filter: 'datum.epsilon > 0' }],
        mark: { type: 'point', filled: true, size: 42, opacity: 1 },
        encoding: {
          x,
          y,
          fill: stroke,
          shape: {
            field: 'objective',
            legend: null,
            scale: { domain, range: domain.map((objective) => STYLES[objective].shape) },
          },
        },
      },
    ],
    config: {
      view: { stroke: null },
      axis: {
        ...text,
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: 400,
        gridColor: 'var(--line)',
        domainColor: 'var(--line)',
        tickColor: 'var(--line)',
      },
    },
  };
}
