/** Attack success of every cell: facets x objectives x epsilon, one table per search and norm. */
import { epsilonText, percentage } from '../../format.js';
import type { Block, View } from '../../view.js';
import { grid } from '../grid.js';
import { html, type Html } from '../html.js';
import { LIGHT } from '../palette.js';
import { cellTitle, section } from '../parts.js';

export const heatmap = ({ blocks }: View): Html =>
  section(
    'success',
    'Attack success',
    html`<p class="lead">
      Share of decisions that were right on the clean image and wrong on the attacked one, in percent. Below
      it stands the 95 % interval.
    </p>`,
    blocks.length === 0 ? html`<p>No attack was run.</p>` : SCALE,
    html`<div class="beside">${blocks.map(table)}</div>`,
  );

const SCALE = html`<p class="scale" aria-hidden="true">
  0 %
  <span class="steps">${LIGHT.heat.map((_, i) => html`<i class="h${i}"></i>`)}</span>
  100 %
</p>`;

const table = (block: Block): Html =>
  grid({
    label: `Attack success, ${block.title}`,
    caption: html`<b>${block.title}</b>, epsilon in n/255`,
    rows: block.rows,
    groups: block.epsilons.map((epsilon) => ({ heading: epsilonText(epsilon), columns: [''] })),
    cell: (row, group) => {
      const cell = block.cell(row, block.epsilons[group]);
      return (
        cell && {
          rate: cell.attackSuccessRate,
          detail:
            cell.interval === null
              ? undefined
              : `${percentage(cell.interval[0], 0)}–${percentage(cell.interval[1], 0)}`,
          title: cellTitle(cell),
          heat: true,
        }
      );
    },
  });
