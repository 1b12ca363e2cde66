/** A table of facets x objectives against anything: the heat map, directions, species. */
import { UNDEFINED, percentage } from '../format.js';
import { byFacet, type Row } from '../view.js';
import { html, type Html, type Part } from './html.js';
import { heatStep } from './palette.js';
import { scroll } from './parts.js';

export interface GridCell {
  readonly rate: number | null;
  /** Small print under the rate. */
  readonly detail?: string;
  /** Tooltip. */
  readonly title: string;
  /** Whether the rate is an attack's success, whose height is coloured. */
  readonly heat: boolean;
}

export interface Grid {
  /** What the table is called where it is not seen. */
  readonly label: string;
  readonly caption: Part;
  readonly rows: readonly Row[];
  /** Column groups with their columns; a group whose only column has no name shows as one heading. */
  readonly groups: readonly { readonly heading: Part; readonly columns: readonly string[] }[];
  /** Undefined where nothing was run. */
  readonly cell: (row: Row, group: number, column: number) => GridCell | undefined;
}

export function grid({ label, caption, rows, groups, cell }: Grid): Html {
  const split = groups.some(({ columns }) => columns.length > 1);
  const span = split ? html` rowspan="2"` : '';
  const head = html`<thead>
    <tr>
      <th scope="col" ${span}>Facet</th>
      <th scope="col" ${span}>Objective</th>
      ${groups.map(
        ({ heading, columns }) =>
          html`<th scope="${split ? 'colgroup' : 'col'}" colspan="${columns.length}">${heading}</th>`,
      )}
    </tr>
    ${
      split &&
      html`<tr>
        ${groups.map(({ columns }) => columns.map((column) => html`<th scope="col">${column}</th>`))}
      </tr>`
    }
  </thead>`;
  const cellsOf = (row: Row): Html[] =>
    groups.flatMap(({ columns }, group) =>
      columns.map((_, column) => gridCell(cell(row, group, column), split && column === 0)),
    );
  const body = byFacet(rows).map(
    ({ facet, rows: own }) =>
      html`<tbody>
        ${own.map(
          (row, i) =>
            html`<tr>
              ${i === 0 && html`<th scope="rowgroup" rowspan="${own.length}">${facet}</th>`}
              <th scope="row" class="objective">${row.objective}</th>
              ${cellsOf(row)}
            </tr>`,
        )}
      </tbody>`,
  );
  const kind = split ? 'grid dense' : 'grid';
  return scroll(
    label,
    html`<table class="${kind}">
      <caption>
        ${caption}
      </caption>
      ${head}${body}
    </table>`,
  );
}

function gridCell(cell: GridCell | undefined, opensGroup: boolean): Html {
  const place = opensGroup ? 'opens ' : '';
  if (cell === undefined) return html`<td class="${place}none" title="not run">·</td>`;
  const { rate, detail, title, heat } = cell;
  if (rate === null) return html`<td class="${place}none" title="${title}">${UNDEFINED}</td>`;
  const colour = heat ? `${place}h${heatStep(rate)}` : place;
  return html`<td class="${colour}" title="${title}">
    ${percentage(rate)}${detail && html`<small>${detail}</small>`}
  </td>`;
}
