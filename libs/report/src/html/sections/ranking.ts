/** Facets from weakest to strongest, by area under success over epsilon, with how well a probe reads each. */
import type { FacetSource, ObjectiveName, Report } from '@facet/contracts';
import { percent } from '../../format.js';
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
      Area under success over epsilon, as a share of the whole: it ranks facets below saturation too. SFA
      draws facets together, so read it beside facet-only. A facet whose probe is poor says little about live
      and spoof.
    </p>`,
    report.facets.length === 0
      ? html`<p>The model offers no facet besides its decision.</p>`
      : table(report, reference),
  );

const byRank = (a: RankedFacet, b: RankedFacet): number => (a.rank ?? Infinity) - (b.rank ?? Infinity) || 0;

function table(report: Report, reference: Block | undefined): Html {
  const area = (facet: string, objective: ObjectiveName): number | null =>
    report.curves.find(
      (curve) =>
        curve.facet === facet &&
        curve.objective === objective &&
        curve.search === reference?.search &&
        curve.norm === reference.norm,
    )?.areaUnderSuccess ?? null;
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
          <th scope="col" class="n">Probe accuracy</th>
          <th scope="col">Attacked through</th>
          <th scope="col">Prior from</th>
        </tr>
      </thead>
      <tbody>
        ${[...report.facets].sort(byRank).map(
          (one) =>
            html`<tr>
              <td class="n">${one.rank ?? '–'}</td>
              <th scope="row">${one.facet}</th>
              <td class="n">${bar(area(one.facet, 'facet'), 'facet')}</td>
              <td class="n">${bar(area(one.facet, 'sfa'), 'sfa')}</td>
              <td class="n">${percent(one.probeAccuracy)}</td>
              <td class="w">${SOURCES[one.source]}</td>
              ${priorCell(one)}
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
}

const priorCell = ({ priorSamples, withoutPrior }: RankedFacet): Html =>
  priorSamples === null
    ? html`<td class="long">${foreign(withoutPrior ?? 'no prior')}</td>`
    : html`<td class="w">${priorSamples.live} live, ${priorSamples.spoof} spoof</td>`;
