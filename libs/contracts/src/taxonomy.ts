/**
 * The words of the field that every part shares: facets, classes, spoof types, illuminations, attributes.
 * Polarity is written here and nowhere else: class 0 is live (bona fide), class 1 is spoof (attack
 * presentation). Indices follow CelebA-Spoof (Zhang et al., ECCV 2020).
 */

export const CLASSES = ['live', 'spoof'] as const;
export type ClassName = (typeof CLASSES)[number];
export const LIVE = 0;
export const SPOOF = 1;

/** The five auxiliary facets of the multitask network: three annotations, two geometric maps. */
export const AUXILIARY_FACETS = ['attributes', 'spoof-type', 'illumination', 'depth', 'reflection'] as const;
export type AuxiliaryFacet = (typeof AUXILIARY_FACETS)[number];

/** The facet that is the decision itself. */
export const DECISION_FACET = 'live';

/** The mid-depth feature map whose prior stands beside those of the facets; no facet may have its name. */
export const TEXTURE = 'texture';

/** PAI species; index 0 is the bona fide class. */
export const SPOOF_TYPES = [
  'live',
  'photo',
  'poster',
  'a4',
  'face-mask',
  'upper-body-mask',
  'region-mask',
  'pc',
  'pad',
  'phone',
  '3d-mask',
] as const;
export type SpoofType = (typeof SPOOF_TYPES)[number];

export const ILLUMINATIONS = ['live', 'normal', 'strong', 'back', 'dark'] as const;

/** The 40 CelebA attributes in CelebA order (Liu et al., ICCV 2015). */
export const ATTRIBUTES = [
  '5-o-clock-shadow',
  'arched-eyebrows',
  'attractive',
  'bags-under-eyes',
  'bald',
  'bangs',
  'big-lips',
  'big-nose',
  'black-hair',
  'blond-hair',
  'blurry',
  'brown-hair',
  'bushy-eyebrows',
  'chubby',
  'double-chin',
  'eyeglasses',
  'goatee',
  'gray-hair',
  'heavy-makeup',
  'high-cheekbones',
  'male',
  'mouth-slightly-open',
  'mustache',
  'narrow-eyes',
  'no-beard',
  'oval-face',
  'pale-skin',
  'pointy-nose',
  'receding-hairline',
  'rosy-cheeks',
  'sideburns',
  'smiling',
  'straight-hair',
  'wavy-hair',
  'wearing-earrings',
  'wearing-hat',
  'wearing-lipstick',
  'wearing-necklace',
  'wearing-necktie',
  'young',
] as const;

export const SPLITS = ['train', 'dev', 'test'] as const;
export type Split = (typeof SPLITS)[number];
