/** Holds a report against a policy: each threshold is a check, and all must hold. */
import type { CellReport, CleanReport, Policy, Verdict } from '@facet/contracts';
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

function cleanChecks(policy: Policy['clean'], clean: CleanReport): Check[] {
  const checks: Check[] = [];
  if (policy.maxAcer !== undefined) checks.push(atMost('clean ACER at most', clean.acer, policy.maxAcer));
  if (policy.minAuc !== undefined) checks.push(atLeast('clean AUC at least', clean.auc, policy.minAuc));
  if (policy.minAccuracy !== undefined)
    checks.push(atLeast('clean accuracy at least', clean.accuracy, policy.minAccuracy));
  return checks;
}

/** One check per rule: the largest success among the cells that it speaks about. A rule that meets no cell fails. */
function attackCheck(rule: Policy['attacks'][number], cells: readonly CellReport[]): Check {
  const met = cells.filter(
    (cell) =>
      (rule.facet === undefined || cell.facet === rule.facet) &&
      (rule.objective === undefined || cell.objective === rule.objective) &&
      (rule.search === undefined || cell.search === rule.search) &&
      (rule.norm === undefined || cell.norm === rule.norm) &&
      (rule.maxEpsilon === undefined || cell.epsilon <= rule.maxEpsilon + 1e-12),
  );
  const rates = met.flatMap((cell) => (cell.attackSuccessRate === null ? [] : [cell.attackSuccessRate]));
  const scope = [rule.facet, rule.objective, rule.search, rule.norm].filter((part) => part !== undefined);
  const reach = rule.maxEpsilon === undefined ? [] : [`epsilon <= ${epsilonText(rule.maxEpsilon)}`];
  const name = `attack success at most, ${[...scope, ...reach].join(', ') || 'all cells'}`;
  return atMost(name, rates.length === 0 ? null : Math.max(...rates), rule.maxAttackSuccessRate);
}

export function verdictOf(
  policy: Policy | undefined,
  clean: CleanReport,
  cells: readonly CellReport[],
): Verdict {
  if (policy === undefined) return { policy: null, passed: true, checks: [] };
  const checks = [
    ...cleanChecks(policy.clean, clean),
    ...policy.attacks.map((rule) => attackCheck(rule, cells)),
  ];
  return { policy: policy.name, passed: checks.every((check) => check.passed), checks };
}
