/** What a report says, as metrics: for trends and alerts over many evaluations. The report itself stays the truth. */
import type { Report } from '@facet/contracts';
import { record } from '@facet/telemetry';

/** Series are told apart by names, never by versions, which grow without end: a later version goes on in the same one. */
export function measure({ model, dataset, clean, cells, verdict }: Report): void {
  const about = { model: model.name, dataset: dataset.name };
  const outcome = verdict.policy === null ? 'no-policy' : verdict.passed ? 'passed' : 'rejected';
  record('facet.verdicts', 1, { model: model.name, outcome });
  if (clean.acer !== null) record('facet.clean.acer', clean.acer, about);
  for (const { facet, objective, search, norm, epsilon, attackSuccessRate } of cells) {
    if (attackSuccessRate === null) continue;
    const cell = { facet, objective, search, norm, epsilon: formatEpsilon(epsilon) };
    record('facet.attack.success_rate', attackSuccessRate, { ...about, ...cell });
  }
}

/** As people write it: `2/255` where it is a whole number of grey levels, else three digits. */
export function formatEpsilon(epsilon: number): string {
  const levels = epsilon * 255;
  const whole = Math.round(levels);
  return whole > 0 && Math.abs(levels - whole) < 1e-6
    ? `${whole}/255`
    : String(Number(epsilon.toPrecision(3)));
}
