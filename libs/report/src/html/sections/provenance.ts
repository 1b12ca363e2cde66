/** Where the numbers come from: enough to compute them again. */
import { formatRef } from '@facet/contracts';
import type { View } from '../../view.js';
import { foreign, html, type Html } from '../html.js';
import { section } from '../parts.js';

export function provenance({ report }: View): Html {
  const { provenance: from, plan } = report;
  const { images, agreed } = from.recheck;
  const facts: [string, Html | string][] = [
    ['Evaluation', foreign(report.evaluation)],
    ['Model', html`${formatRef(report.model)}<br /><code>sha256 ${report.model.sha256}</code>`],
    ['Dataset', html`${formatRef(report.dataset)}<br /><code>digest ${report.dataset.digest}</code>`],
    ['Facet', from.facet],
    ['Seed', String(from.seed)],
    ['Backend', foreign(from.backend)],
    ['Processor', foreign(from.cpu)],
    [
      'Recheck',
      images === 0
        ? 'No stored image was decided again.'
        : `${agreed} of ${images} stored images, decided again by the evaluation, gave the same decision.`,
    ],
  ];
  return section(
    'provenance',
    'Provenance',
    html`<dl class="terms">
        ${facts.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>
      <details>
        <summary>The plan</summary>
        <pre>${JSON.stringify(plan, null, 2)}</pre>
      </details>`,
  );
}
