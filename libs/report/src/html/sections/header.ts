/** Who was examined, on what, and what the policy says of it. */
import { formatRef, type Verdict } from '@facet/contracts';
import { percent } from '../../format.js';
import { foreign, html, type Html } from '../html.js';
import { scroll } from '../parts.js';
import type { View } from '../../view.js';

export const header = ({ report }: View): Html =>
  html`<p class="eyebrow">Facet report</p>
    <h1>${formatRef(report.model)}</h1>
    <p class="quiet">
      on ${formatRef(report.dataset)}, plan ${report.plan.name}, evaluation ${foreign(report.evaluation)}
    </p>
    ${verdict(report.verdict)}`;

function verdict({ policy, passed, checks }: Verdict): Html {
  if (policy === null)
    return html`<div class="verdict">
      <p class="word">No policy</p>
      <p class="quiet">Nothing was demanded of this model, so it neither passed nor failed.</p>
    </div>`;
  const failed = checks.filter((check) => !check.passed).length;
  const count = failed === 0 ? 'all checks hold' : `${failed} of ${checks.length} checks fail`;
  return html`<div class="verdict ${passed ? 'passed' : 'failed'}">
    <p class="word">${passed ? '✓ Passed' : '✗ Failed'}</p>
    <p class="quiet">Policy ${policy}: ${checks.length === 0 ? 'it holds no checks' : count}.</p>
    ${checks.length > 0 && checkTable(checks)}
  </div>`;
}

const checkTable = (checks: Verdict['checks']): Html =>
  scroll(
    'Checks of the policy',
    html`<table class="plain">
      <thead>
        <tr>
          <th scope="col">Result</th>
          <th scope="col">Check</th>
          <th scope="col" class="n">Measured</th>
          <th scope="col" class="n">Limit</th>
        </tr>
      </thead>
      <tbody>
        ${checks.map(
          ({ name, passed, actual, limit }) =>
            html`<tr>
              <td class="${passed ? 'pass' : 'fail'}">${passed ? '✓ holds' : '✗ fails'}</td>
              <td class="long">${foreign(name)}</td>
              <td class="n">${actual === null ? 'not measured' : percent(actual, 2)}</td>
              <td class="n">${percent(limit, 2)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
