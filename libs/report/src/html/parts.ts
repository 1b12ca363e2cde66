/** Pieces that several sections share. */
import type { CellReport } from '@facet/contracts';
import { counted, epsilonText, intervalText, percent, scalar } from '../format.js';
import { html, type Html, type Part } from './html.js';

/** A section of the page under its heading; `id` is where the table of contents leads. */
export const section = (id: string, title: string, ...body: readonly Part[]): Html =>
  html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${body}
  </section>`;

/** A wide table that scrolls by itself on a narrow screen, by keyboard too. */
export const scroll = (label: string, table: Html): Html =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;

/** What the reader must know before the figures; nothing where there is nothing. */
export const remarks = (notes: readonly string[]): Part =>
  notes.length > 0 &&
  html`<aside class="mind">
    <ul>
      ${notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </aside>`;

/** Terms of the provenance: with what and where the figures were made. */
export const madeWith = (provenance: { facet: string; backend: string; cpu: string }): Html =>
  html`<dt>Facet</dt>
    <dd>${provenance.facet}</dd>
    <dt>Backend</dt>
    <dd>${provenance.backend}</dd>
    <dt>Processor</dt>
    <dd>${provenance.cpu}</dd>`;

/** A number with a bar from 0 to 1 behind it, in the colour of a class of the style sheet. */
export const bar = (rate: number | null, colour: 'facet' | 'sfa'): Html =>
  html`${percent(rate)}<span class="bar" aria-hidden="true"
      ><i class="${colour}" style="width:${((rate ?? 0) * 100).toFixed(1)}%"></i
    ></span>`;

/** Everything about a cell's success in one line, for a tooltip. */
export const cellTitle = (cell: CellReport): string =>
  [
    `${cell.facet}, ${cell.objective}, ${cell.search}, ${epsilonText(cell.epsilon)}`,
    `${cell.succeeded} of ${counted(cell.attempted, 'right decision')} flipped: ${percent(cell.attackSuccessRate)} (95 % ${intervalText(cell.interval)})`,
    `${counted(cell.samples, 'sample')} attacked`,
    `largest change ${epsilonText(cell.maxLinf)}, mean L2 ${scalar(cell.meanL2 * 255)}/255`,
  ].join('; ');
