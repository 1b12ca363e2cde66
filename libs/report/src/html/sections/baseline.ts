/** This model beside its baseline: what became worse, what better, and what may be chance. */
import { type Change, formatRef, type Report } from '@facet/contracts';
import { epsilonText, normText, percent, points, pointsInterval } from '../../format.js';
import type { View } from '../../view.js';
import { html, type Html } from '../html.js';
import { scroll, section } from '../parts.js';

type Comparison = NonNullable<Report['baseline']>;

const WORDS: Readonly<Record<Change['change'], string>> = {
  better: 'better',
  worse: 'worse',
  'within-noise': 'within noise',
  unknown: 'unknown',
};

export function baseline({ report: { baseline } }: View): Html | undefined {
  if (baseline === null) return undefined;
  const counts = (change: Change['change']): number =>
    baseline.cells.filter(({ attackSuccessRate }) => attackSuccessRate.change === change).length;
  return section(
    'baseline',
    'Against the baseline',
    html`<p class="lead">
      ${formatRef(baseline.model)}, attacked by the same plan on the same ${baseline.samples} test samples. Of
      ${baseline.cells.length} cells ${counts('worse')} became worse, ${counts('better')} better, and
      ${counts('within-noise')} differ by no more than chance: the 95 % interval of their difference, paired
      by sample, holds 0. Among so many cells about one in twenty leaves its interval by chance alone.
    </p>`,
    table(baseline),
  );
}

const row = (name: string, { baseline, current, delta, interval, change }: Change): Html =>
  html`<tr>
    <th scope="row">${name}</th>
    <td class="n">${percent(baseline)}</td>
    <td class="n">${percent(current)}</td>
    <td class="n"><b>${points(delta)}</b></td>
    <td class="n">${pointsInterval(interval)}</td>
    <td class="${change === 'worse' ? 'fail' : change === 'better' ? 'pass' : ''}">${WORDS[change]}</td>
  </tr>`;

const table = ({ clean, cells }: Comparison): Html =>
  scroll(
    'Changes against the baseline',
    html`<table class="plain">
      <caption>
        Clean figures, then attack success; differences in percentage points
      </caption>
      <thead>
        <tr>
          <th scope="col">Figure</th>
          <th scope="col" class="n">Baseline</th>
          <th scope="col" class="n">This model</th>
          <th scope="col" class="n">Difference</th>
          <th scope="col" class="n">95 %</th>
          <th scope="col">Change</th>
        </tr>
      </thead>
      <tbody>
        ${row('Clean accuracy', clean.accuracy)} ${row('Clean AUC', clean.auc)}
        ${cells.map(({ facet, objective, search, norm, epsilon, attackSuccessRate }) =>
          row(
            `${facet}, ${objective}, ${search}, ${normText(norm)} ${epsilonText(epsilon)}`,
            attackSuccessRate,
          ),
        )}
      </tbody>
    </table>`,
  );
