/** Searches by name: what a plan's configuration means, as stages over one attack. */
import { AUTO, needsGradient, type Norm, type ObjectiveName, type SearchConfig } from '@facet/contracts';
import { apgd } from './apgd.js';
import { Attack } from './attack.js';
import { minimalEpsilon } from './bisection.js';
import { bySigns, gradientDescent, type GradientDescentConfig } from './gradient-descent.js';
import { hopSkipJump } from './hop-skip-jump.js';
import type { Search, Stage } from './search.js';
import { square } from './square.js';

/** Stages one after the other; each sees what the ones before it did not fool. */
const inTurn =
  (...stages: readonly Stage[]): Stage =>
  async (attack) => {
    for (const [i, stage] of stages.entries()) if (attack.open.length > 0) await stage(attack, i);
  };

const restarted = (stage: Stage, restarts: number): Stage =>
  inTurn(...Array.from({ length: restarts }, () => stage));

/**
 * The worst case without a parameter, in the spirit of AutoAttack (Croce and Hein, ICML 2020). Its second loss is
 * left out: of two classes, cross-entropy rises with the margin, and Auto-PGD only asks for an order of values and a
 * direction, so both losses make the same steps until cross-entropy underflows. Restarts take its place. Where there
 * is no gradient, scores alone are searched, and then decisions alone.
 */
const auto: Stage = (attack, stage) => {
  const { gradient } = attack.context.oracle;
  const ascents = Array.from({ length: AUTO.runs }, () => apgd(AUTO.steps));
  const white = inTurn(...ascents, square(AUTO.queries.afterGradients));
  const black = inTurn(square(AUTO.queries.alone), hopSkipJump(AUTO.queries.alone));
  return (gradient === undefined ? black : white)(attack, stage);
};

/** The searches that are a way of steps along the gradient; undefined for others. */
function descentOf(config: SearchConfig): GradientDescentConfig | undefined {
  switch (config.name) {
    case 'fgsm':
      // Goodfellow et al., ICLR 2015: one step of length epsilon from the clean image.
      return { steps: 1, relativeStep: 1, schedule: 'constant', randomStart: false };
    case 'bim':
      // Kurakin et al., ICLR 2017 workshop: a quarter more way than epsilon, from the clean image.
      return { ...walking(config, 1.25, false), abandon: config.abandon };
    case 'pgd':
      // Madry et al., ICLR 2018; steps of 2.5 epsilon / steps.
      return { ...walking(config, 2.5, true), abandon: config.abandon };
    case 'mi-fgsm':
      // Dong et al., CVPR 2018; steps of epsilon / steps.
      return { ...walking(config, 1, false), momentum: { decay: config.decay, lookAhead: false } };
    case 'ni-fgsm':
      // Lin et al., ICLR 2020.
      return { ...walking(config, 1, false), momentum: { decay: config.decay, lookAhead: true } };
    default:
      return undefined;
  }
}

function stageOf(config: SearchConfig): Stage {
  switch (config.name) {
    case 'fgsm':
    case 'bim':
    case 'mi-fgsm':
    case 'ni-fgsm':
      return gradientDescent(descentOf(config)!);
    case 'pgd':
      return restarted(gradientDescent(descentOf(config)!), config.restarts);
    case 'apgd':
      return restarted(apgd(config.steps), config.restarts);
    case 'square':
      return square(config.queries, config.share);
    case 'hop-skip-jump':
      return hopSkipJump(config.queries);
    case 'minimal-epsilon':
      return minimalEpsilon(stageOf(config.search), config.rounds);
    case 'auto':
      return auto;
  }
}

type Walking = Extract<SearchConfig, { name: 'bim' | 'pgd' | 'mi-fgsm' | 'ni-fgsm' }>;

function walking(
  { steps, relativeStep, schedule = 'constant', di, ti, si }: Walking,
  way: number,
  randomStart: boolean,
): GradientDescentConfig {
  const diversity = (di ?? ti ?? si) ? { diversity: { di, ti, si } } : {};
  return { steps, relativeStep: relativeStep ?? way / steps, schedule, randomStart, ...diversity };
}

/** Whether a search asks nothing of gradients but steps along their signs: a {@link StepOracle} serves it. */
export function stepsBySigns(config: SearchConfig, norm: Norm): boolean {
  if (config.name === 'minimal-epsilon') return stepsBySigns(config.search, norm);
  const descent = descentOf(config);
  return descent !== undefined && bySigns(descent, norm);
}

/** Whether a search follows gradients from the clean image on, so that it stays there where they are zero. */
export function startsClean(config: SearchConfig): boolean {
  if (config.name === 'minimal-epsilon') return startsClean(config.search);
  return ['fgsm', 'bim', 'mi-fgsm', 'ni-fgsm'].includes(config.name);
}

/** Which loss a search climbs where the objective is `direct`. */
export function lossOf(config: SearchConfig): 'margin' | 'cross-entropy' {
  if (config.name === 'minimal-epsilon') return lossOf(config.search);
  return ('loss' in config ? config.loss : undefined) ?? 'margin';
}

/**
 * Whether a search can pursue an objective: what asks for scores or decisions pursues the decision, and a choice of
 * the decision's loss says nothing about other objectives.
 */
export const pursues = (config: SearchConfig, objective: ObjectiveName): boolean =>
  objective === 'direct' || (needsGradient(config) && lossOf(config) === 'margin');

/** The search that a plan's configuration names. */
export const searchOf = (config: SearchConfig): Search => {
  const stage = stageOf(config);
  const pushOn = 'stop' in config && config.stop === 'never';
  return async (batch, clean, context) => {
    const attack = new Attack(batch, clean, context, pushOn);
    await stage(attack, 0);
    return { images: attack.images, scores: attack.scores };
  };
};
