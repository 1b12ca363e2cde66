/** Facets from weakest to strongest, by area under success over epsilon, with how well a probe reads each. */
import type { FacetCurve, FacetSource, ObjectiveName, Report } from '@facet/contracts';
import { epsilonText, intervalText, percent, UNDEFINED } from '../../format.js';
import type { Block, View } from '../../view.js';
import { foreign, html, type Html } from '../html.js';
import { bar, scroll, section } from '../parts.js';

const SOURCES: Readonly<Record<FacetSource, string>> = {
  head: "the model's own head",
  probe: 'a linear probe',
  tensor: 'distance in its feature',
};

type RankedFacet = Report['facets'][number];

export const ranking = ({ report, reference }: View): Html =>
  section(
    'ranking',
    'Facets, weakest first',
    html`<p class="lead">
      Area under success over epsilon, as a share of the whole. Ranks go by it ${ranksBy(report)}. Beside a
      rank stands its 95 % interval, and how often the facet was the weakest when the samples were drawn anew:
      facets whose intervals meet are not told apart. SFA draws facets together, so read it beside facet-only.
      A facet whose probe is poor says little about live and spoof.
    </p>`,
    report.facets.length === 0
      ? html`<p>The model offers no facet besides its decision.</p>`
      : table(report, reference),
  );

/** At which epsilons facets were told apart. */
function ranksBy({ ranking }: Report): string {
  if (ranking === null) return 'over all epsilons';
  const list = (epsilons: readonly number[]) => epsilons.map(epsilonText).join(', ');
  const { epsilons, saturated } = ranking;
  const out = saturated.length === 0 ? '' : `; at ${list(saturated)} everything falls, which ranks nothing`;
  return `at ${list(epsilons)}${out}`;
}

const byRank = (a: RankedFacet, b: RankedFacet): number => (a.rank ?? Infinity) - (b.rank ?? Infinity) || 0;

function table(report: Report, reference: Block | undefined): Html {
  const curve = (facet: string, objective: ObjectiveName): FacetCurve | undefined =>
    report.curves.find(
      (one) =>
        one.facet === facet &&
        one.objective === objective &&
        one.search === reference?.search &&
        one.norm === reference.norm,
    );
  const area = (facet: string, objective: 'facet' | 'sfa'): Html => {
    const found = curve(facet, objective);
    const interval = found?.areaInterval;
    return html`${bar(found?.areaUnderSuccess ?? null, objective)}${
      interval && html` <small>${intervalText(interval)}</small>`
    }`;
  };
  const median = (facet: string): string => {
    const epsilon = (curve(facet, 'sfa') ?? curve(facet, 'facet'))?.medianMinimalEpsilon;
    return epsilon == null ? UNDEFINED : epsilonText(epsilon);
  };
  return scroll(
    'Ranking of facets',
    html`<table class="plain">
      ${
        reference &&
        html`<caption>
          Areas by ${reference.title}
        </caption>`
      }
      <thead>
        <tr>
          <th scope="col" class="n">Rank</th>
          <th scope="col">Facet</th>
          <th scope="col">Area, facet only</th>
          <th scope="col">Area, SFA</th>
          <th scope="col" class="n">Median minimal epsilon</th>
          <th scope="col" class="n">Probe accuracy</th>
          <th scope="col">Attacked through</th>
          <th scope="col">Prior from</th>
        </tr>
      </thead>
      <tbody>
        ${[...report.facets].sort(byRank).map(
          (one) =>
            html`<tr>
              <td class="n">${rank(one)}</td>
              <th scope="row">${one.facet}</th>
              <td class="n">${area(one.facet, 'facet')}</td>
              <td class="n">${area(one.facet, 'sfa')}</td>
              <td class="n">${median(one.facet)}</td>
              <td class="n">${percent(one.probeAccuracy)}</td>
              <td class="w">${SOURCES[one.source]}</td>
              ${priorCell(one)}
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
}

function rank({ rank, rankInterval, weakestShare }: RankedFacet): Html | string {
  if (rank === null) return UNDEFINED;
  const between =
    rankInterval && rankInterval[0] < rankInterval[1] && `${rankInterval[0]}–${rankInterval[1]}, `;
  return html`${rank} <small>${between}weakest in ${percent(weakestShare, 0)}</small>`;
}

const priorCell = ({ priorSamples, withoutPrior }: RankedFacet): Html =>
  priorSamples === null
    ? html`<td class="long">${foreign(withoutPrior ?? 'no prior')}</td>`
    : html`<td class="w">${priorSamples.live} live, ${priorSamples.spoof} spoof</td>`;
