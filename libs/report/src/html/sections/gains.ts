/** What the prior adds: mean success over the auxiliary facets with and without it, and by the control. */
import type { Report } from '@facet/contracts';
import { epsilonText, percent, points, pointsInterval } from '../../format.js';
import type { View } from '../../view.js';
import { html, type Html } from '../html.js';
import { scroll, section } from '../parts.js';

export const gains = ({ report, blocks }: View): Html => {
  const groups = blocks
    .map(({ search, norm, title }) => ({
      title,
      rows: report.gains.filter((gain) => gain.search === search && gain.norm === norm),
    }))
    .filter(({ rows }) => rows.length > 0);
  return section(
    'gains',
    'What the prior adds',
    html`<p class="lead">
      Mean success over the auxiliary facets. The control gives each sample a direction of shuffled labels in
      the prior's place: if it did as well as SFA, the gain would not be the data's.
    </p>`,
    groups.length === 0
      ? html`<p>No auxiliary facet was attacked, so there is nothing to compare.</p>`
      : table(groups),
  );
};

const table = (groups: readonly { title: string; rows: Report['gains'] }[]): Html =>
  scroll(
    'What the prior adds',
    html`<table class="plain">
      <caption>
        Gain = SFA minus facet-only, in percentage points
      </caption>
      <thead>
        <tr>
          <th scope="col">Search</th>
          <th scope="col" class="n">Epsilon</th>
          <th scope="col" class="n">Facet only</th>
          <th scope="col" class="n">SFA</th>
          <th scope="col" class="n">Control</th>
          <th scope="col" class="n">Gain</th>
          <th scope="col" class="n">95 %</th>
        </tr>
      </thead>
      ${groups.map(
        ({ title, rows }) =>
          html`<tbody>
            ${rows.map(
              ({ epsilon, facet, sfa, control, gain, interval }, i) =>
                html`<tr>
                  ${i === 0 && html`<th scope="rowgroup" rowspan="${rows.length}">${title}</th>`}
                  <td class="n">${epsilonText(epsilon)}</td>
                  <td class="n">${percent(facet)}</td>
                  <td class="n">${percent(sfa)}</td>
                  <td class="n">${percent(control)}</td>
                  <td class="n"><b>${points(gain)}</b></td>
                  <td class="n">${pointsInterval(interval)}</td>
                </tr>`,
            )}
          </tbody>`,
      )}
    </table>`,
  );
