/**
 * Runs cases and collects what they find. A case that fails ends itself, not the others: what was measured is never lost.
 */
import { NoPeer } from '../peers/python.js';
import type { BenchReport, Check, Finding, Machine } from './findings.js';
import type { Tools } from './part.js';
import type { Selected } from './select.js';
import { lineOf } from './table.js';

export interface Outcome {
  readonly report: BenchReport;
  /** Cases that ended with an error, and checks that did not pass. */
  readonly failures: readonly string[];
}

type Collected = Pick<BenchReport, 'results' | 'checks' | 'skipped'>;

/** As JSON has them: it knows no NaN. */
const written = (figures: Check['figures']): Check['figures'] =>
  Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );

function collect(
  { results, checks, skipped }: Collected,
  of: { bench: string; case: string },
  finding: Finding,
) {
  if ('comparison' in finding) results.push({ ...of, ...finding.comparison });
  else if ('check' in finding)
    checks.push({ ...of, ...finding.check, figures: written(finding.check.figures) });
  else skipped.push({ ...of, ...finding.skip });
}

/** @param machine asked for at the end, when it is known which peers there were */
export async function runCases(
  selected: readonly Selected[],
  tools: Tools,
  machine: () => Machine,
  date: Date,
): Promise<Outcome> {
  const found: Collected = { results: [], checks: [], skipped: [] };
  const failures: string[] = [];
  for (const { part, cases } of selected)
    for (const name of cases) {
      const of = { bench: part.name, case: name };
      tools.log(`${part.name} ${name}`);
      try {
        for await (const finding of part.run(name, tools)) {
          collect(found, of, finding);
          tools.log(`  ${lineOf(finding)}`);
        }
      } catch (error) {
        if (error instanceof NoPeer) found.skipped.push({ ...of, reason: error.message });
        else failures.push(`${part.name} ${name}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  for (const { bench, case: name, passed, problem } of found.checks)
    if (!passed) failures.push(`${bench} ${name}: ${problem ?? 'did not pass'}`);
  const report = {
    schema: 'facet.bench/v1',
    machine: machine(),
    date: date.toISOString(),
    ...found,
  } as const;
  return { report, failures };
}
