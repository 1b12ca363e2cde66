/** The main finding in one paragraph of plain language; says what could not be measured instead of guessing. */
import type { CellReport } from '@facet/contracts';
import { epsilonText, intervalText, percent, points } from '../../format.js';
import { findingsOf, type Findings, type PriorFinding } from '../../findings.js';
import type { View } from '../../view.js';
import { html, type Html } from '../html.js';

export function summary(view: View): Html {
  const { clean } = view.report;
  const findings = findingsOf(view);
  const sentences = [
    `On clean images the model decides ${percent(clean.accuracy)} of ${clean.samples} test samples right.`,
    ...finding(view, findings),
    ...(findings.fewSamples
      ? ['So few samples were attacked that the intervals say more than the rates.']
      : []),
  ];
  return html`<p class="summary">${sentences.join(' ')}</p>`;
}

function finding({ reference }: View, { weakest, direct, givesWay, prior }: Findings): string[] {
  if (reference === undefined) return ['No attack was run on it.'];
  if (weakest !== undefined) {
    const compared =
      direct === undefined
        ? []
        : [`Attacking the decision itself flips ${percent(direct.attackSuccessRate)} at the same epsilon.`];
    return [
      `Its weakest facet is ${weakest.facet}: ${flips(weakest, givesWay)}.`,
      ...compared,
      priorSentence(prior),
    ];
  }
  if (direct !== undefined)
    return [
      `No facet could be ranked. Attacking the decision itself: ${flips(direct, givesWay)}.`,
      priorSentence(prior),
    ];
  return ['No attack has a success rate: no decision that was right before was attacked.'];
}

function flips(cell: CellReport, givesWay: boolean): string {
  const at = givesWay
    ? `at an epsilon of ${epsilonText(cell.epsilon)}`
    : `even at ${epsilonText(cell.epsilon)}, the largest epsilon tried,`;
  const with_ = `${cell.objective} objective, ${cell.search}`;
  const only = givesWay ? '' : 'only ';
  const rate = `${percent(cell.attackSuccessRate)}, 95 % interval ${intervalText(cell.interval)}`;
  return `${at} the attack (${with_}) flips ${only}${cell.succeeded} of ${cell.attempted} right decisions (${rate})`;
}

function priorSentence(prior: PriorFinding): string {
  switch (prior.kind) {
    case 'gain': {
      const { gain, facet, sfa, control, epsilon } = prior.best;
      const means = `from ${percent(facet)} to ${percent(sfa)} at ${epsilonText(epsilon)}`;
      const checked =
        control === null ? '' : `; the control, a prior of shuffled labels, reaches ${percent(control)}`;
      return gain > 0
        ? `Over the auxiliary facets, SFA adds up to ${points(gain).slice(1)} points to facet-only success (${means})${checked}.`
        : `Over the auxiliary facets, SFA adds nothing to facet-only success: at best ${points(gain)} points (${means})${checked}.`;
    }
    case 'no-sfa':
      return 'What SFA would add is unknown: no auxiliary facet was attacked with a prior.';
    case 'no-facet':
      return 'What SFA adds is unknown: no auxiliary facet was attacked without its prior.';
    case 'incomparable':
      return 'What SFA adds is unknown: it ran on other auxiliary facets than the facet-only attack.';
    case 'no-facets':
      return 'There is no auxiliary facet on which SFA could be compared with the facet-only attack.';
  }
}
