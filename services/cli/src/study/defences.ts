/** A study's defences beside each other: what each costs on clean images, and what it buys under attack. Pure. */
import type { DefendedFigures, StudyDefence, StudyReport } from '@facet/contracts';
import { estimate } from './estimate.js';

type Network = StudyReport['networks'][number];
type Defended = Network & Required<Pick<Network, 'defence' | 'defended'>>;

/** @param groups networks that differ in their seed alone */
export function defencesIn(groups: readonly (readonly Network[])[]): StudyDefence[] {
  const rows = groups.flatMap((group): Omit<StudyDefence, 'efficient'>[] => {
    const networks = group.filter(
      (one): one is Defended => one.defence !== undefined && one.defended !== undefined,
    );
    if (networks.length === 0) return [];
    const [{ backbone, features, defence, defended }] = networks;
    const over = (figure: (of: DefendedFigures) => number | null | undefined) =>
      estimate(networks.flatMap((one) => figure(one.defended) ?? []));
    return [
      {
        backbone,
        features,
        defence,
        clean: over((of) => of.clean),
        shifted: over((of) => of.shifted),
        unseen: over((of) => of.unseen),
        attacked: defended.attacked.map(({ epsilon }, i) => ({
          epsilon,
          auc: over((of) => of.attacked.at(i)?.auc),
          success: over((of) => of.attacked.at(i)?.success),
        })),
        sfa: over((of) => of.sfa),
      },
    ];
  });
  return rows.map((row) => ({ ...row, efficient: !rows.some((other) => dominates(other, row)) }));
}

/** AUC on clean images, then under the attack at each epsilon. */
const merits = ({ clean, attacked }: Omit<StudyDefence, 'efficient'>): number[] =>
  [clean, ...attacked.map(({ auc }) => auc)].map((one) => one?.mean ?? -Infinity);

function dominates(one: Omit<StudyDefence, 'efficient'>, other: Omit<StudyDefence, 'efficient'>): boolean {
  if (one.backbone !== other.backbone || one.features !== other.features) return false;
  const [own, theirs] = [merits(one), merits(other)];
  return own.every((merit, i) => merit > theirs[i]);
}
