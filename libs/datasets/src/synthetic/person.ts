/** Who is in the picture: an identity, which all pictures of a subject share, and how they look in one of them. */
import { ATTRIBUTES } from '@facet/contracts';
import type { Random } from './random.js';

/** Red, green and blue in [0,1]. */
export type Colour = readonly [number, number, number];

export const mix = (a: Colour, b: Colour, t: number): Colour => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

/** A colour of any hue, half way to its grey, as most walls and clothes are. */
export function muted(random: Random, dark: number, bright: number): Colour {
  const grey = random.uniform(dark, bright);
  const part = (): number => (grey + random.uniform(dark, bright)) / 2;
  return [part(), part(), part()];
}

const HAIR = {
  'black-hair': [0.09, 0.08, 0.08],
  'brown-hair': [0.33, 0.2, 0.12],
  'blond-hair': [0.83, 0.67, 0.38],
  'gray-hair': [0.62, 0.61, 0.6],
} as const satisfies Record<string, Colour>;
type HairColour = keyof typeof HAIR;

const PALE: Colour = [0.97, 0.83, 0.75];
const TAN: Colour = [0.8, 0.58, 0.43];
const DEEP: Colour = [0.37, 0.24, 0.17];

type Beard = 'none' | 'shadow' | 'goatee' | 'mustache' | 'full';

/** Lengths are in face units: 1 is half the face's width (x) or height (y). */
export interface Person {
  readonly skin: Colour;
  readonly pale: boolean;
  readonly hairName: HairColour;
  readonly hair: Colour;
  readonly bald: boolean;
  readonly bangs: boolean;
  readonly receding: boolean;
  /** How far down the hair reaches beside the face. */
  readonly hairLength: number;
  /** Half the face's width, in half image widths, and its height over its width. */
  readonly width: number;
  readonly aspect: number;
  readonly jaw: number;
  readonly nose: number;
  readonly lips: number;
  readonly eyeOpening: number;
  readonly iris: Colour;
  readonly brows: number;
  readonly beard: Beard;
  readonly rosy: boolean;
}

export function drawPerson(random: Random): Person {
  const melanin = random.uniform(0, 1);
  const skin = melanin < 0.5 ? mix(PALE, TAN, melanin * 2) : mix(TAN, DEEP, melanin * 2 - 1);
  const hairName = random.pick(Object.keys(HAIR) as HairColour[]);
  const bald = random.chance(0.1);
  const kind = random.uniform(0, 1);
  const long = random.chance(0.4);
  return {
    skin,
    pale: melanin < 0.18,
    hairName,
    hair: mix(HAIR[hairName], skin, random.uniform(0, 0.1)),
    bald,
    bangs: !bald && random.chance(0.25),
    receding: !bald && random.chance(0.2),
    hairLength: long ? random.uniform(0.5, 1.2) : random.uniform(-0.3, 0.15),
    width: random.uniform(0.45, 0.58),
    aspect: random.uniform(1.18, 1.46),
    jaw: random.uniform(0.05, 0.4),
    nose: random.uniform(0.13, 0.27),
    lips: random.uniform(0.06, 0.13),
    eyeOpening: random.uniform(0.055, 0.12),
    iris: random.pick<Colour>([
      [0.2, 0.12, 0.07],
      [0.2, 0.34, 0.5],
      [0.26, 0.38, 0.22],
    ]),
    brows: random.uniform(0.03, 0.085),
    beard:
      kind < 0.55
        ? 'none'
        : kind < 0.67
          ? 'shadow'
          : kind < 0.78
            ? 'goatee'
            : kind < 0.88
              ? 'mustache'
              : 'full',
    rosy: random.chance(0.2),
  };
}

export interface Look {
  /** Centre in half image widths, roll in turns, yaw as a shift of the features in face units. */
  readonly centre: readonly [number, number];
  readonly roll: number;
  readonly yaw: number;
  readonly scale: number;
  /** How far the corners of the mouth go up. */
  readonly smile: number;
  /** Height of the gap between the lips. */
  readonly gap: number;
  readonly glasses: boolean;
  readonly hat: Colour | undefined;
  readonly lipstick: boolean;
  readonly clothes: Colour;
}

export function drawLook(random: Random): Look {
  return {
    centre: [random.uniform(-0.08, 0.08), random.uniform(-0.06, 0.08)],
    roll: random.uniform(-0.03, 0.03),
    yaw: random.uniform(-0.2, 0.2),
    scale: random.uniform(0.92, 1.12),
    smile: random.chance(0.5) ? random.uniform(0.06, 0.14) : random.uniform(-0.03, 0.01),
    gap: random.chance(0.35) ? random.uniform(0.05, 0.1) : 0,
    glasses: random.chance(0.28),
    hat: random.chance(0.18) ? muted(random, 0.05, 0.85) : undefined,
    lipstick: random.chance(0.2),
    clothes: muted(random, 0.05, 0.85),
  };
}

/** The attributes that the renderer really varies; every other one of the forty is 0 in each sample. */
const VISIBLE = {
  '5-o-clock-shadow': (p) => p.beard === 'shadow',
  bald: (p) => p.bald,
  bangs: (p, l) => p.bangs && l.hat === undefined,
  'big-lips': (p) => p.lips > 0.1,
  'big-nose': (p) => p.nose > 0.215,
  'black-hair': (p) => !p.bald && p.hairName === 'black-hair',
  'blond-hair': (p) => !p.bald && p.hairName === 'blond-hair',
  'brown-hair': (p) => !p.bald && p.hairName === 'brown-hair',
  'bushy-eyebrows': (p) => p.brows > 0.065,
  chubby: (p) => p.width > 0.535 && p.aspect < 1.3,
  eyeglasses: (_, l) => l.glasses,
  goatee: (p) => p.beard === 'goatee',
  'gray-hair': (p) => !p.bald && p.hairName === 'gray-hair',
  'mouth-slightly-open': (_, l) => l.gap > 0,
  mustache: (p) => p.beard === 'mustache' || p.beard === 'full',
  'narrow-eyes': (p) => p.eyeOpening < 0.072,
  'no-beard': (p) => p.beard === 'none' || p.beard === 'mustache',
  'oval-face': (p) => p.aspect > 1.36,
  'pale-skin': (p) => p.pale,
  'receding-hairline': (p) => p.receding && !p.bangs,
  'rosy-cheeks': (p) => p.rosy,
  sideburns: (p) => p.beard === 'full',
  smiling: (_, l) => l.smile > 0.03,
  'wearing-hat': (_, l) => l.hat !== undefined,
  'wearing-lipstick': (_, l) => l.lipstick,
} as const satisfies Partial<Record<(typeof ATTRIBUTES)[number], (p: Person, l: Look) => boolean>>;

export const SYNTHETIC_ATTRIBUTES = Object.keys(VISIBLE) as (keyof typeof VISIBLE)[];

/** 0 or 1 for each of the forty, in CelebA order. */
export function attributesOf(person: Person, look: Look): (0 | 1)[] {
  const visible: Partial<Record<string, (p: Person, l: Look) => boolean>> = VISIBLE;
  return ATTRIBUTES.map((name) => (visible[name]?.(person, look) ? 1 : 0));
}
