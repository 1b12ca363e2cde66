/** What the reader must know before the numbers: notes of the evaluation, and facets without a prior. */
import type { View } from '../../view.js';
import { foreign, html, type Html } from '../html.js';

export function notes({ report }: View): Html | undefined {
  const missing = report.facets.flatMap(({ facet, priorSamples, withoutPrior }) =>
    priorSamples === null
      ? [`${facet} has no prior, so it was not attacked with SFA${withoutPrior ? `: ${withoutPrior}` : ''}`]
      : [],
  );
  const all = [...report.notes, ...missing];
  if (all.length === 0) return undefined;
  return html`<aside class="mind" aria-labelledby="notes-title">
    <h2 id="notes-title">Mind this</h2>
    <ul>
      ${all.map((note) => html`<li>${foreign(note)}</li>`)}
    </ul>
  </aside>`;
}
