/** What a report says, as metrics: for trends and alerts over many evaluations. The report itself stays the truth. */
import { record } from '@facet/telemetry';

/** The part of a report that is measured. */
export interface Measured {
  readonly model: { readonly name: string };
  readonly dataset: { readonly name: string };
  readonly clean: { readonly acer: number | null };
  readonly cells: readonly {
    readonly facet: string;
    readonly objective: string;
    readonly search: string;
    readonly norm: string;
    readonly epsilon: number;
    readonly attackSuccessRate: number | null;
  }[];
  readonly verdict: { readonly policy: string | null; readonly passed: boolean };
}

/**
 * Series are told apart by names, never by versions, which grow without end: a later version goes on in the same one.
 * @param askedAtMs when it was first asked for, where that is known; milliseconds since 1970 by the store's clock, as the
 *   present is by ours
 */
export function measure(
  { model, dataset, clean, cells, verdict }: Measured,
  askedAtMs: number | undefined,
): void {
  const about = { model: model.name, dataset: dataset.name };
  const outcome = verdict.policy === null ? 'no-policy' : verdict.passed ? 'passed' : 'rejected';
  record('facet.verdicts', 1, { model: model.name, outcome });
  if (askedAtMs !== undefined)
    record('facet.evaluation.duration', Math.max(0, Date.now() - askedAtMs) / 1000, { outcome });
  record('facet.report.timestamp', Date.now() / 1000, about);
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
