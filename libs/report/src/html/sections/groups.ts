/** Success by what is known of a sample: species of spoof, illumination, people's attributes. At one epsilon, below saturation. */
import type { CellReport, Success } from '@facet/contracts';
import { findingsOf } from '../../findings.js';
import { counted, epsilonText } from '../../format.js';
import { type Block, type Row, sorted, type View } from '../../view.js';
import { grid, type GridCell } from '../grid.js';
import { foreign, html, type Html, type Part } from '../html.js';
import { section } from '../parts.js';

/** Where the main finding was made. */
interface Place {
  readonly block: Block;
  readonly epsilon: number;
  readonly rows: readonly Row[];
}

function placeOf(view: View): Place | undefined {
  const { reference: block } = view;
  if (block === undefined) return undefined;
  const { weakest, direct } = findingsOf(view);
  const epsilon = (weakest ?? direct)?.epsilon ?? block.epsilons[0];
  return { block, epsilon, rows: block.rows.filter((row) => block.cell(row, epsilon) !== undefined) };
}

const shown = ({ rate, succeeded, attempted }: Success, noun: string): GridCell => ({
  rate,
  detail: `${succeeded}/${attempted}`,
  title: `${succeeded} of ${counted(attempted, noun)}`,
  heat: true,
});

interface Grouping {
  readonly label: string;
  readonly noun: string;
  readonly columns: readonly string[];
  readonly of: (cell: CellReport, column: number) => Record<string, Success>;
}

function table({ block, epsilon, rows }: Place, { label, noun, columns, of }: Grouping): Html | undefined {
  const cell = (row: Row) => block.cell(row, epsilon);
  const names = sorted(rows.flatMap((row) => Object.keys(cell(row) === undefined ? {} : of(cell(row)!, 0))));
  if (names.length === 0) return undefined;
  return grid({
    label,
    caption: html`<b>${block.title}</b>, epsilon ${epsilonText(epsilon)}`,
    rows,
    groups: names.map((name) => ({ heading: foreign(name), columns })),
    cell: (row, group, column) => {
      const found = cell(row);
      const success = found && of(found, column)[names[group]];
      return success && shown(success, noun);
    },
  });
}

const parts = (id: string, title: string, lead: Part, body: Html | undefined): Html | undefined =>
  body && section(id, title, html`<p class="lead">${lead}</p>`, body);

export function species(view: View): Html | undefined {
  const place = placeOf(view);
  return (
    place &&
    parts(
      'species',
      'By species of spoof',
      'Share of rejected spoofs of each species that the attack makes pass for live, in percent, at the epsilon of the main finding.',
      table(place, {
        label: 'Success by species',
        noun: 'rejected spoof',
        columns: [''],
        of: ({ bySpecies }) => bySpecies,
      }),
    )
  );
}

export function people(view: View): Html | undefined {
  const place = placeOf(view);
  if (place === undefined) return undefined;
  const illumination = table(place, {
    label: 'Success by illumination',
    noun: 'right decision',
    columns: [''],
    of: ({ byIllumination }) => byIllumination,
  });
  const attributes = table(place, {
    label: 'Success by attribute',
    noun: 'right decision',
    columns: ['with', 'without'],
    of: ({ byAttribute }, column) =>
      Object.fromEntries(
        Object.entries(byAttribute).map(([name, { present, absent }]) => [
          name,
          column === 0 ? present : absent,
        ]),
      ),
  });
  if (illumination === undefined && attributes === undefined) return undefined;
  return section(
    'groups',
    'By illumination and by group of people',
    html`<p class="lead">
      Attack success in percent at the epsilon of the main finding. An attribute is shown where at least 20
      right decisions stand on either side.
    </p>`,
    illumination,
    attributes,
  );
}
