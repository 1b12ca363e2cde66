/** Success by PAI species: which kind of spoof an attacker would bring. At one epsilon, below saturation. */
import { findingsOf } from '../../findings.js';
import { counted, epsilonText } from '../../format.js';
import { sorted, type View } from '../../view.js';
import { grid } from '../grid.js';
import { foreign, html, type Html } from '../html.js';
import { section } from '../parts.js';

export function species(view: View): Html | undefined {
  const { reference } = view;
  if (reference === undefined) return undefined;
  const { weakest, direct } = findingsOf(view);
  const epsilon = (weakest ?? direct)?.epsilon ?? reference.epsilons[0];
  const rows = reference.rows.filter((row) => reference.cell(row, epsilon) !== undefined);
  const names = sorted(rows.flatMap((row) => Object.keys(reference.cell(row, epsilon)?.bySpecies ?? {})));
  if (names.length === 0) return undefined;
  return section(
    'species',
    'By species of spoof',
    html`<p class="lead">
      Share of rejected spoofs of each species that the attack makes pass for live, in percent, at the epsilon
      of the main finding.
    </p>`,
    grid({
      label: 'Success by species',
      caption: html`<b>${reference.title}</b>, epsilon ${epsilonText(epsilon)}`,
      rows,
      groups: names.map((name) => ({ heading: foreign(name), columns: [''] })),
      cell: (row, group) => {
        const success = reference.cell(row, epsilon)?.bySpecies[names[group]];
        return (
          success && {
            rate: success.rate,
            detail: `${success.succeeded}/${success.attempted}`,
            title: `${success.succeeded} of ${counted(success.attempted, 'rejected spoof')}`,
            heat: true,
          }
        );
      },
    }),
  );
}
