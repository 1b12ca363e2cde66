/** The worst cases as pictures: what was shown, what the attack made of it, and where it changed it. */
import type { WorstCase } from '@facet/contracts';
import { epsilonText, scalar } from '../../format.js';
import type { Picture } from '../../picture.js';
import type { View } from '../../view.js';
import { foreign, html, type Html } from '../html.js';
import { section } from '../parts.js';

export const worst = (view: View, pictures: readonly Picture[]): Html =>
  section(
    'worst',
    'Worst cases',
    pictures.length === 0
      ? html`<p>
          ${
            view.report.cells.some(({ succeeded }) => succeeded > 0)
              ? 'No picture of a worst case was kept with this page.'
              : 'No attack flipped a decision, so there is no picture to show.'
          }
        </p>`
      : html`<p class="lead">
            As the model saw them. The adversarial image is the stored one, in 8 bits per value; its
            difference from the original is amplified to be seen.
          </p>
          <div class="cases">${pictures.map((picture) => figure(view, picture))}</div>`,
  );

const source = (png: Uint8Array): string =>
  `data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64')}`;

function figure(
  { report }: View,
  { case: shown, original, adversarial, difference, amplification }: Picture,
): Html {
  const kind =
    shown.label === 'live' ? 'live face' : `spoof${shown.species === null ? '' : ` (${shown.species})`}`;
  const cell = report.cells.find(({ id }) => id === shown.cell);
  const attack = cell === undefined ? shown.cell : `${cell.facet}, ${cell.objective}, ${cell.search}`;
  const image = (png: Uint8Array, alt: string, caption: string): Html =>
    html`<div><img src="${source(png)}" alt="${alt}" />${caption}</div>`;
  return html`<figure>
    <div class="three">
      ${image(original, `${kind}, original`, 'original')}
      ${image(adversarial, `the same ${kind} after the attack on ${attack}`, 'adversarial')}
      ${image(difference, `difference, amplified ${amplification} times`, `difference × ${amplification}`)}
    </div>
    <figcaption>
      <b>${attack}</b>, ${epsilonText(shown.epsilon)}<br />
      ${foreign(kind)} <code>${foreign(shown.key)}</code>: score ${scalar(shown.cleanScore)} →
      ${scalar(shown.adversarialScore)}, ${outcome(shown, report.clean.threshold)}
    </figcaption>
  </figure>`;
}

function outcome({ adversarialScore }: WorstCase, threshold: number): string {
  const decision = adversarialScore >= threshold ? 'accepted as live' : 'rejected as spoof';
  return `${decision} at threshold ${scalar(threshold)}`;
}
