/** Holds a report against a policy: each threshold is a check, and all must hold. */
import {
  type CellReport,
  type FailedCell,
  formatRef,
  type Policy,
  type Report,
  type Verdict,
} from '@facet/contracts';
import { epsilonText } from '@facet/report';

type Check = Verdict['checks'][number];

const atMost = (name: string, actual: number | null, limit: number): Check => ({
  name,
  actual,
  limit,
  passed: actual !== null && actual <= limit,
});
const atLeast = (name: string, actual: number | null, limit: number): Check => ({
  name,
  actual,
  limit,
  passed: actual !== null && actual >= limit,
});

function cleanChecks(policy: Policy['clean'], { clean, baseline }: Judged): Check[] {
  const checks: Check[] = [];
  if (policy.maxAcer !== undefined) checks.push(atMost('clean ACER at most', clean.acer, policy.maxAcer));
  if (policy.minAuc !== undefined) checks.push(atLeast('clean AUC at least', clean.auc, policy.minAuc));
  if (policy.minAccuracy !== undefined)
    checks.push(atLeast('clean accuracy at least', clean.accuracy, policy.minAccuracy));
  if (policy.maxRegression !== undefined && baseline !== null) {
    const { delta } = baseline.clean.auc;
    const name = `clean AUC falls at most, against ${formatRef(baseline.model)}`;
    checks.push(atMost(name, delta === null ? null : -delta, policy.maxRegression));
  }
  return checks;
}

type Rule = Policy['attacks'][number];

/** What a rule speaks about, of cells or of their changes. */
const meets = (
  rule: Rule,
  cell: Pick<CellReport, 'facet' | 'objective' | 'search' | 'norm' | 'epsilon'>,
): boolean =>
  (rule.facet === undefined || cell.facet === rule.facet) &&
  (rule.objective === undefined || cell.objective === rule.objective) &&
  (rule.search === undefined || cell.search === rule.search) &&
  (rule.norm === undefined || cell.norm === rule.norm) &&
  (rule.maxEpsilon === undefined || cell.epsilon <= rule.maxEpsilon + 1e-12);

/** The largest number; null where there is none, and then no limit holds. */
function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * A check per limit of a rule: the largest figure among the cells that it speaks about. A rule that meets no cell fails, and
 * so does one that meets a cell without figures: nobody knows how that attack would have ended.
 */
function attackChecks(rule: Rule, { cells, baseline, failed }: Judged): Check[] {
  const known = !failed.some((cell) => meets(rule, cell));
  const scope = [rule.facet, rule.objective, rule.search, rule.norm].filter((part) => part !== undefined);
  const reach = rule.maxEpsilon === undefined ? [] : [`epsilon <= ${epsilonText(rule.maxEpsilon)}`];
  const about = [...scope, ...reach].join(', ') || 'all cells';
  const checks: Check[] = [];
  if (rule.maxAttackSuccessRate !== undefined) {
    const rates = cells.filter((cell) => meets(rule, cell)).map((cell) => cell.attackSuccessRate);
    const actual = known ? largest(rates) : null;
    checks.push(atMost(`attack success at most, ${about}`, actual, rule.maxAttackSuccessRate));
  }
  if (rule.maxRegression !== undefined && baseline !== null) {
    const rises = baseline.cells
      .filter((cell) => meets(rule, cell))
      .map((cell) => cell.attackSuccessRate.delta);
    const name = `attack success rises at most, against ${formatRef(baseline.model)}, ${about}`;
    checks.push(atMost(name, known ? largest(rises) : null, rule.maxRegression));
  }
  return checks;
}

export interface Judged extends Pick<Report, 'clean' | 'cells' | 'baseline'> {
  readonly failed: readonly FailedCell[];
}

const WITHOUT_BASELINE =
  'There is no baseline to compare with, so the limits on regression in the policy (maxRegression) were not applied.';

/** The verdict, and what the reader must know about it. */
export function judgeBy(policy: Policy | undefined, judged: Judged): { verdict: Verdict; notes: string[] } {
  if (policy === undefined) return { verdict: { policy: null, passed: true, checks: [] }, notes: [] };
  const checks = [
    ...cleanChecks(policy.clean, judged),
    ...policy.attacks.flatMap((rule) => attackChecks(rule, judged)),
  ];
  const compares = [policy.clean, ...policy.attacks].some(({ maxRegression }) => maxRegression !== undefined);
  return {
    verdict: { policy: policy.name, passed: checks.every((check) => check.passed), checks },
    notes: compares && judged.baseline === null ? [WITHOUT_BASELINE] : [],
  };
}
