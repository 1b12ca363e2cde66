/** Findings as people read them. */
import type { BenchReport, Check, Comparison, Finding } from './findings.js';

const number = (value: number | null): string =>
  value === null
    ? 'none'
    : value !== 0 && (Math.abs(value) < 1e-2 || Math.abs(value) >= 1e6)
      ? value.toExponential(1)
      : value.toFixed(Math.abs(value) < 10 ? 2 : 0);

const figuresOf = (figures: Readonly<Record<string, number | null>> = {}): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(', ');

/** With the interval where it is known; three digits, as some targets have them. */
const ratioOf = ({ ratio, interval }: Pick<Comparison, 'ratio' | 'interval'>): string =>
  ratio.toFixed(3) + (interval ? ` (${interval.map((end) => end.toFixed(3)).join(' to ')})` : '');

const comparison = (row: Comparison): string[] => [
  row.bench,
  row.case,
  row.subject,
  row.baseline,
  ratioOf(row),
  row.target === undefined ? '' : `${row.ratio <= row.target ? 'reaches' : 'misses'} ${row.target}`,
  number(row.medianMs),
  number(row.baselineMedianMs),
  `${row.runs}`,
  figuresOf({
    ...(row.success !== undefined && { success: row.success }),
    ...(row.baselineSuccess !== undefined && { baselineSuccess: row.baselineSuccess }),
    ...row.figures,
  }),
];

const check = (row: Check): string[] => [
  row.bench,
  row.case,
  row.subject,
  row.passed ? 'passed' : 'FAILED',
  figuresOf(row.figures) + (row.problem === undefined ? '' : `; ${row.problem}`),
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  return [head, widths.map((width) => '-'.repeat(width)), ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What is shown while the rest is still measured. */
export function lineOf(finding: Finding): string {
  if ('skip' in finding) return `skipped: ${finding.skip.reason}`;
  if ('check' in finding) {
    const { subject, passed, figures } = finding.check;
    return `${subject} ${passed ? 'passed' : 'FAILED'}: ${figuresOf(figures)}`;
  }
  const { subject, baseline, medianMs } = finding.comparison;
  return `${subject}: ${number(medianMs)} ms, ${ratioOf(finding.comparison)} of ${baseline}`;
}

/** The whole report as text, without a line end after it. */
export function textOf({ machine, date, results, checks, skipped }: BenchReport): string {
  const { cpu, cores, memoryGiB, versions } = machine;
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    table(
      ['bench', 'case', 'subject', 'baseline', 'ratio', 'target', 'ms', 'baseline ms', 'runs', 'figures'],
      results.map(comparison),
    ),
    table(['bench', 'case', 'subject', '', 'figures'], checks.map(check)),
    skipped.map((row) => `skipped: ${row.bench}, ${row.case}: ${row.reason}`).join('\n'),
    `${date}, ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${made.join(', ')}`,
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}
