/**
 * How an attack searches: the searches by name, with their parameters. What is left out has the value that the
 * search's own paper gives it; see docs/guide/searches.md.
 */
import { z } from 'zod';

/** What a search climbs where the objective is `direct`; every other objective is a loss of its own. */
export const Loss = z.enum(['margin', 'cross-entropy'], {
  error: ({ input }) =>
    input === 'dlr'
      ? 'dlr divides by the third largest logit, so it is undefined for two classes, live and spoof; take margin, the difference of their log-odds, which does not saturate either'
      : undefined,
});
export type Loss = z.infer<typeof Loss>;

const climbs = {
  /** `margin` unless given. */
  loss: Loss.optional(),
  /**
   * `fooled`, unless given: a sample leaves with the first 8-bit image that the model decides wrongly. `never`: it is
   * pushed on to the end, which a figure that orders scores (robust AUC) needs.
   */
  stop: z.enum(['fooled', 'never']).optional(),
};

/** Step lengths over a run, beginning with the full one. */
export const STEP_SCHEDULES = ['constant', 'cosine', 'halving'] as const;
export type StepSchedule = (typeof STEP_SCHEDULES)[number];

const walks = {
  steps: z.int().min(1).max(1000).default(10),
  /** Step length over epsilon. */
  relativeStep: z.number().positive().max(10).optional(),
  /** `constant` unless given. */
  schedule: z.enum(STEP_SCHEDULES).optional(),
  /** Input diversity, for transfer: how often a step's gradient is taken of a resized and padded image. */
  di: z.number().positive().max(1).optional(),
  /** Translation invariance, for transfer: side of the Gaussian kernel that gradients are blurred with. */
  ti: z
    .int()
    .min(3)
    .max(31)
    .refine((side) => side % 2 === 1, 'must be odd')
    .optional(),
  /** Scale invariance, for transfer: copies, each half as bright as the one before, that gradients are averaged over. */
  si: z.int().min(2).max(16).optional(),
};

/**
 * A sample is left behind where, after steps that together are as long as the ball is wide (2 epsilon), its score still lies
 * farther from the boundary than this share of the clean image's distance, and its pace does not bring it there. Unless
 * given, none is.
 */
const abandon = z.number().positive().max(1).optional();

/** By its scores, which therefore must be those of the images on the way. */
const abandonsAlone = (
  search: Partial<Record<'abandon' | 'di' | 'ti' | 'si', number>> & { stop?: string },
): boolean =>
  search.abandon === undefined ||
  ((search.di ?? search.ti ?? search.si) === undefined && search.stop !== 'never');
const ABANDONS_ALONE = {
  path: ['abandon'],
  message: 'must not stand beside di, ti or si, which score other images, nor beside stop: never',
};

const restarts = z.int().min(1).max(100).default(1);
const queries = z.int().min(1).max(100_000).default(5000);
/** Of the accumulated gradient from one step to the next. */
const decay = z.number().min(0).max(10).default(1);

const PLAIN = [
  z.strictObject({ name: z.literal('fgsm'), ...climbs }),
  z
    .strictObject({ name: z.literal('bim'), ...walks, abandon, ...climbs })
    .refine(abandonsAlone, ABANDONS_ALONE),
  z
    .strictObject({ name: z.literal('pgd'), ...walks, restarts, abandon, ...climbs })
    .refine(abandonsAlone, ABANDONS_ALONE),
  z.strictObject({ name: z.literal('mi-fgsm'), ...walks, decay, ...climbs }),
  z.strictObject({ name: z.literal('ni-fgsm'), ...walks, decay, ...climbs }),
  z.strictObject({
    name: z.literal('apgd'),
    steps: z.int().min(1).max(1000).default(100),
    restarts,
    ...climbs,
  }),
  z.strictObject({
    name: z.literal('square'),
    /** Forward passes per image. */
    queries,
    /** Share of the image that the first squares cover; 0.8 unless given. */
    share: z.number().positive().max(1).optional(),
  }),
] as const;

const PlainSearch = z.discriminatedUnion('name', PLAIN);
export type PlainSearch = z.infer<typeof PlainSearch>;

export const SearchConfig = z.discriminatedUnion('name', [
  ...PLAIN,
  z.strictObject({ name: z.literal('hop-skip-jump'), queries }),
  z.strictObject({
    name: z.literal('minimal-epsilon'),
    /** What is asked at each epsilon whether it succeeds. */
    search: PlainSearch.refine((search) => !('stop' in search && search.stop === 'never'), {
      path: ['stop'],
      message: 'must not be never: a bisection asks for success alone',
    }).default({ name: 'pgd', steps: 10, restarts: 1 }),
    /** Halvings of the interval in which a sample's smallest epsilon lies. */
    rounds: z.int().min(1).max(20).default(6),
  }),
  z.strictObject({ name: z.literal('auto') }),
]);
export type SearchConfig = z.infer<typeof SearchConfig>;

/** Options as they stand in a name, after the numbers that every search of its kind has. */
function options(search: SearchConfig): string {
  const given = (mark: string, value: number | undefined): string[] =>
    value === undefined ? [] : [`${mark}${value}`];
  const parts: string[] = [];
  if ('steps' in search && 'relativeStep' in search) parts.push(...given('s', search.relativeStep));
  if ('schedule' in search && search.schedule && search.schedule !== 'constant') parts.push(search.schedule);
  if ('decay' in search && search.decay !== 1) parts.push(`m${search.decay}`);
  for (const mark of ['di', 'ti', 'si'] as const)
    if (mark in search) parts.push(...given(mark, (search as Partial<Record<typeof mark, number>>)[mark]));
  if ('abandon' in search) parts.push(...given('a', search.abandon));
  if (search.name === 'square') parts.push(...given('p', search.share));
  if ('loss' in search && search.loss === 'cross-entropy') parts.push('ce');
  if ('stop' in search && search.stop === 'never') parts.push('full');
  return parts.map((part) => `-${part}`).join('');
}

/** A search's short name in cell ids and tables: `fgsm`, `pgd-10`, `pgd-40x5`, `mi-fgsm-10-di0.5`, `square-5000`. */
export function formatSearch(search: SearchConfig): string {
  switch (search.name) {
    case 'fgsm':
      return `fgsm${options(search)}`;
    case 'square':
    case 'hop-skip-jump':
      return `${search.name}-${search.queries}${options(search)}`;
    case 'minimal-epsilon':
      return `min-${formatSearch(search.search)}-r${search.rounds}`;
    case 'auto':
      return 'auto';
    default: {
      const times = 'restarts' in search && search.restarts > 1 ? `x${search.restarts}` : '';
      return `${search.name}-${search.steps}${times}${options(search)}`;
    }
  }
}

/** What `auto` does. Of a model without gradients it asks scores, and then decisions, `alone`. */
export const AUTO = { runs: 3, steps: 100, queries: { afterGradients: 1000, alone: 5000 } } as const;

/** Whether a search cannot do without gradients: `auto` takes them where there are some. */
export function needsGradient(search: SearchConfig): boolean {
  if (search.name === 'minimal-epsilon') return needsGradient(search.search);
  return !['square', 'hop-skip-jump', 'auto'].includes(search.name);
}

/** Passes through the model that a search takes for one image that withstands it, those that judge its end left out. */
export function passesOf(search: SearchConfig): number {
  switch (search.name) {
    case 'fgsm':
      return 1;
    case 'square':
    case 'hop-skip-jump':
      return search.queries;
    case 'minimal-epsilon':
      return (search.rounds + 1) * passesOf(search.search);
    case 'auto':
      return AUTO.runs * AUTO.steps + AUTO.queries.afterGradients;
    case 'apgd':
      return search.steps * search.restarts;
    default:
      return search.steps * (search.si ?? 1) * ('restarts' in search ? search.restarts : 1);
  }
}
