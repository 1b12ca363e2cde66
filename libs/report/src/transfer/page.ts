/** Transfer matrices as one HTML file that stands alone, and as tables for the terminal. */
import { formatRef, type TransferReport } from '@facet/contracts';
import { epsilonText, normText, percent, percentage, scalar, UNDEFINED } from '../format.js';
import { htmlDocument } from '../html/document.js';
import { html, type Html } from '../html/html.js';
import { heatStep } from '../html/palette.js';
import { scroll, section } from '../html/parts.js';

type Matrix = TransferReport['matrices'][number];
type Success = Matrix['success'][number][number];

const titleOf = ({ facet, objective, search, norm, epsilon }: Matrix): string =>
  `${facet}, ${objective}, ${search}, ${normText(norm)} ${epsilonText(epsilon)}`;

function cell({ rate, interval, succeeded, attempted }: Success): Html {
  if (rate === null) return html`<td class="none" title="nothing was decided rightly">${UNDEFINED}</td>`;
  return html`<td class="h${heatStep(rate)}" title="${succeeded} of ${attempted} right decisions">
    ${percentage(rate)}${interval && html`<small>${percentage(interval[0], 0)}–${percentage(interval[1], 0)}</small>`}
  </td>`;
}

const matrix = (models: readonly string[], one: Matrix): Html =>
  scroll(
    titleOf(one),
    html`<table class="grid">
      <caption>
        <b>${titleOf(one)}</b>
      </caption>
      <thead>
        <tr>
          <th scope="col">crafted on</th>
          ${models.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${one.success.map(
          (row, i) =>
            html`<tr>
              <th scope="row">${models[i]}</th>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

/** The same report gives the same bytes. */
export function renderTransferHtml(report: TransferReport): string {
  const { matrices, dataset, plan, provenance } = report;
  const models = report.models.map(formatRef);
  return htmlDocument({
    title: html`Transfer between ${models.join(', ')}`,
    header: html`<h1>Transfer between models</h1>`,
    main: html`
      ${section(
        'matrices',
        'Crafted on one, judged by all',
        html`<p class="lead">
          Attack success in percent, with its 95 % interval: rows are the model that the images were crafted
          on, columns the model that judges them. Each judges through its own crop of the same photograph, at
          its own frozen threshold, and success counts among its own right decisions. The diagonal is the
          attack on the model itself.
        </p>`,
        html`<div class="beside">${matrices.map((one) => matrix(models, one))}</div>`,
      )}
      ${section(
        'provenance',
        'Provenance',
        html`<dl class="terms">
          ${report.models.map(
            ({ sha256, evaluation, threshold }, i) =>
              html`<dt>${models[i]}</dt>
                <dd><code>sha256 ${sha256}</code><br />${evaluation}, threshold ${scalar(threshold)}</dd>`,
          )}
          <dt>Dataset</dt>
          <dd>${formatRef(dataset)}</dd>
          <dt>Plan</dt>
          <dd>${plan.name}, seed ${plan.seed}</dd>
          <dt>Backend</dt>
          <dd>${provenance.backend}, ${provenance.cpu}</dd>
        </dl>`,
      )}
    `,
    facet: provenance.facet,
    figures: 'transfer.json',
  });
}

/** One table per cell: rows are sources, columns targets. */
export function renderTransferTable({ models, matrices }: TransferReport): string {
  const names = models.map(formatRef);
  const first = Math.max(...names.map((name) => name.length), 'crafted on'.length);
  const width = (name: string): number => Math.max(name.length, 7);
  return matrices
    .map((one) =>
      [
        `attack success, ${titleOf(one)}`,
        ['crafted on'.padEnd(first), ...names.map((name) => name.padStart(width(name)))].join('  '),
        ...one.success.map((row, i) =>
          [names[i].padEnd(first), ...row.map(({ rate }, j) => percent(rate).padStart(width(names[j])))].join(
            '  ',
          ),
        ),
      ].join('\n'),
    )
    .join('\n\n');
}
