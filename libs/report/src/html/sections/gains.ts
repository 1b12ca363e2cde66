/** What the prior adds: mean success over the auxiliary facets with and without it, and by the control. */
import { epsilonText, normText, percent, points } from '../../format.js';
import type { View } from '../../view.js';
import { html, type Html } from '../html.js';
import { scroll, section } from '../parts.js';

export const gains = ({ report }: View): Html =>
  section(
    'gains',
    'What the prior adds',
    html`<p class="lead">
      Mean success over the auxiliary facets. The control uses a prior of shuffled labels: if it did as well
      as SFA, the gain would not be the data's.
    </p>`,
    report.gains.length === 0
      ? html`<p>No auxiliary facet was attacked, so there is nothing to compare.</p>`
      : table(report.gains),
  );

const table = (rows: View['report']['gains']): Html =>
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
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ search, norm, epsilon, facet, sfa, control, gain }) =>
            html`<tr>
              <th scope="row">${search}, ${normText(norm)}</th>
              <td class="n">${epsilonText(epsilon)}</td>
              <td class="n">${percent(facet)}</td>
              <td class="n">${percent(sfa)}</td>
              <td class="n">${percent(control)}</td>
              <td class="n"><b>${points(gain)}</b></td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
