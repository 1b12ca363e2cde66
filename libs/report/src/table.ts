/**
 * The terminal's table: facets down, epsilons across with their objectives, by the strongest search. Epsilons that do
 * not fit beside each other go below, so no line is longer than {@link WIDTH}.
 */
import type { Report } from '@facet/contracts';
import { epsilonText, percent, percentage, points } from './format.js';
import { findingsOf } from './findings.js';
import { type Block, byFacet, type View, viewOf } from './view.js';

export interface TableOptions {
  /** Whether to colour by ANSI escapes; for terminals only. */
  readonly colour: boolean;
}

const WIDTH = 100;
const MAX_LABEL = 14;
const SEPARATOR = ' │ ';

const RESET = '\u001b[0m';
const BOLD = '\u001b[1m';
const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';
const RED = '\u001b[31m';

type Paint = (text: string, code: string) => string;

export function renderTable(report: Report, { colour }: TableOptions): string {
  const view = viewOf(report);
  const paint: Paint = (text, code) => (colour ? `${code}${text}${RESET}` : text);
  const body = view.reference === undefined ? ['No attack was run.'] : tables(view.reference, paint);
  return [...body, '', cleanLine(report), gainLine(view), ''].join('\n');
}

function tables(block: Block, paint: Paint): string[] {
  const facets = byFacet(block.rows).map(({ facet }) => facet);
  const label = Math.max(5, ...facets.map((facet) => Math.min(facet.length, MAX_LABEL)));
  const objectives = [...new Set(block.rows.map(({ objective }) => objective))];
  const widths = objectives.map((objective) => Math.max(5, objective.length));
  const groupWidth = widths.reduce((sum, width) => sum + width + 1, -1);
  const fitting = Math.max(1, Math.floor((WIDTH - label) / (SEPARATOR.length + groupWidth)));
  const perTable = Math.ceil(block.epsilons.length / Math.ceil(block.epsilons.length / fitting));
  const line = (first: string, groups: readonly string[]): string =>
    [first.padEnd(label), ...groups].join(SEPARATOR).trimEnd();
  const lines = [paint(`attack success in %, ${block.title}`, BOLD)];
  for (let at = 0; at < block.epsilons.length; at += perTable) {
    const epsilons = block.epsilons.slice(at, at + perTable);
    const names = objectives.map((objective, i) => objective.padStart(widths[i])).join(' ');
    const rule = '─'.repeat(groupWidth);
    lines.push(
      '',
      line(
        '',
        epsilons.map((epsilon) => epsilonText(epsilon).padStart(groupWidth)),
      ),
      line(
        'facet',
        epsilons.map(() => names),
      ),
      ['─'.repeat(label), ...epsilons.map(() => rule)].join('─┼─'),
    );
    for (const facet of facets) {
      const groups = epsilons.map((epsilon) =>
        objectives
          .map((objective, i) => rateText(block, { facet, objective, epsilon }, widths[i], paint))
          .join(' '),
      );
      lines.push(line(shortened(facet), groups));
    }
  }
  return lines;
}

const shortened = (facet: string): string =>
  facet.length <= MAX_LABEL ? facet : `${facet.slice(0, MAX_LABEL - 1)}…`;

type Place = Parameters<Block['cell']>[0] & { readonly epsilon: number };

function rateText(block: Block, place: Place, width: number, paint: Paint): string {
  const cell = block.cell(place, place.epsilon);
  if (cell === undefined) return '·'.padStart(width);
  const rate = cell.attackSuccessRate;
  const text = percentage(rate).padStart(width);
  if (rate === null) return text;
  return paint(text, rate < 0.1 ? GREEN : rate < 0.5 ? YELLOW : RED);
}

function cleanLine({ clean }: Report): string {
  const figures = [
    `accuracy ${percent(clean.accuracy)}`,
    `ACER ${percent(clean.acer)}`,
    `EER ${percent(clean.eer)}`,
  ];
  return `clean  ${figures.join(', ')} (${clean.samples} samples)`;
}

function gainLine(view: View): string {
  const { prior } = findingsOf(view);
  if (prior.kind !== 'gain') return 'gain   of SFA over facet-only is unknown: nothing to compare';
  const { gain, facet, sfa, control, epsilon } = prior.best;
  const checked = control === null ? '' : `, control ${percent(control)}`;
  const means = `${percent(facet)} to ${percent(sfa)}${checked}`;
  return `gain   of SFA over facet-only is at best ${points(gain)} points, at ${epsilonText(epsilon)} (${means})`;
}
