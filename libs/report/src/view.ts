/**
 * The report's cells in the arrangement in which people read them: one block per search and norm, rows of facet and
 * objective, columns of epsilon. Every table and chart is drawn from here, so their orders agree.
 */
import {
  type CellReport,
  DECISION_FACET,
  type EvaluationPlan,
  formatSearch,
  type Norm,
  NORMS,
  OBJECTIVES,
  type ObjectiveName,
  type Report,
} from '@facet/contracts';
import { normText } from './format.js';

export interface Row {
  readonly facet: string;
  readonly objective: ObjectiveName;
}

/** All cells of one search and norm. */
export interface Block {
  readonly search: string;
  readonly norm: Norm;
  /** "pgd-10, L∞" */
  readonly title: string;
  /** The decision first, then facets as the report lists them; objectives in the vocabulary's order. */
  readonly rows: readonly Row[];
  /** Ascending. */
  readonly epsilons: readonly number[];
  /** Undefined where the plan has no such cell. */
  readonly cell: (row: Row, epsilon: number) => CellReport | undefined;
}

export interface View {
  readonly report: Report;
  /** The reference first, the others as the report lists them. */
  readonly blocks: readonly Block[];
  /** What the headline speaks about: see {@link referenceOf}. */
  readonly reference: Block | undefined;
}

export function viewOf(report: Report): View {
  const cells = new Map<string, CellReport[]>();
  for (const cell of report.cells) {
    const key = `${cell.search} ${cell.norm}`;
    const group = cells.get(key);
    if (group === undefined) cells.set(key, [cell]);
    else group.push(cell);
  }
  const blocks = [...cells.values()].map((group) => blockOf(report, group));
  const reference = referenceOf(report.plan, blocks);
  if (reference === undefined) return { report, blocks, reference };
  return { report, blocks: [reference, ...blocks.filter((block) => block !== reference)], reference };
}

function blockOf(report: Report, cells: readonly CellReport[]): Block {
  const facets = new Set([DECISION_FACET, ...report.facets.map(({ facet }) => facet)]);
  for (const { facet } of cells) facets.add(facet);
  const key = (row: Row): string => `${row.facet} ${row.objective}`;
  const present = new Set(cells.map(key));
  const rows = [...facets]
    .flatMap((facet) => OBJECTIVES.map((objective) => ({ facet, objective })))
    .filter((row) => present.has(key(row)));
  const byPlace = new Map(cells.map((cell) => [`${key(cell)} ${cell.epsilon}`, cell]));
  const { search, norm } = cells[0];
  return {
    search,
    norm,
    title: `${search}, ${normText(norm)}`,
    rows,
    epsilons: [...new Set(cells.map(({ epsilon }) => epsilon))].sort((a, b) => a - b),
    cell: (row, epsilon) => byPlace.get(`${key(row)} ${epsilon}`),
  };
}

/**
 * Of what was tried, that by which facets are ranked and compared: the plan's last search, which is its strongest,
 * under L-infinity if it ran.
 */
export function referenceOf<T extends { readonly search: string; readonly norm: Norm }>(
  { attacks }: EvaluationPlan,
  tried: readonly T[],
): T | undefined {
  const searches = attacks.flatMap((group) => group.searches.map(formatSearch)).reverse();
  for (const norm of NORMS)
    for (const search of searches) {
      const found = tried.find((one) => one.search === search && one.norm === norm);
      if (found !== undefined) return found;
    }
  return tried.at(-1);
}

/** Neighbouring rows of one facet together, in their order. */
export function byFacet(rows: readonly Row[]): { facet: string; rows: Row[] }[] {
  const groups: { facet: string; rows: Row[] }[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.facet === row.facet) last.rows.push(row);
    else groups.push({ facet: row.facet, rows: [row] });
  }
  return groups;
}

/** Ordered by code unit, so that tables come out alike in every locale. */
export const sorted = (names: Iterable<string>): string[] =>
  [...new Set(names)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
