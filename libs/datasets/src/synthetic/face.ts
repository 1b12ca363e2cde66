/**
 * Synthetic faces: a head of known shape, painted, lit, presented live or as an attack, and photographed. For
 * tests, demonstrations and experiments where labels and maps must be exact; they are no substitute for
 * photographs. A pure function of plain data: call it in any thread, on any machine, for the same bytes.
 */
import type { SampleLabels } from '@facet/contracts';
import { toByte } from '../numerics.js';
import { paintBackground, type Picture, type Variant } from './background.js';
import { capture, distract } from './camera.js';
import { depthOf, layOut } from './geometry.js';
import { drawLight, shade } from './light.js';
import { present, SYNTHETIC_SPECIES, type SyntheticSpecies } from './media.js';
import { paintPerson } from './paint.js';
import { attributesOf, drawLook, drawPerson } from './person.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

export interface FaceOptions {
  readonly seed: number;
  /** Even indices are live, odd ones attacks, both of subject floor(index / 2). */
  readonly index: number;
  /** Side of the square picture in pixels, 16 to 1024. */
  readonly size: number;
  /** `shifted`: other backgrounds, stronger blur, noise, tone and white balance. */
  readonly variant: Variant;
  /** The attack's species, or `live`, against the index's own choice. */
  readonly species?: SyntheticSpecies | 'live';
}

export interface SyntheticSample {
  /** size x size x 3: red, green, blue per pixel, row by row. */
  readonly pixels: Uint8Array;
  /** size x size: 255 is nearest to the camera, 0 the background; all 0 on attacks. */
  readonly depth: Uint8Array;
  /** size x size: light that the medium reflects, 255 being {@link FULL_REFLECTION}; all 0 on live faces. */
  readonly reflection: Uint8Array;
  readonly labels: SampleLabels;
}

/** Added light, as a share of white, that the reflection map shows as 255. */
export const FULL_REFLECTION = 0.5;

/**
 * Renders one sample. Labels are complete, attacks included: `attributes` (only those of
 * SYNTHETIC_ATTRIBUTES vary, the others are 0), `illumination` (`normal`, `strong`, `back` or `dark` on live
 * faces too, where CelebA-Spoof says `live`), `spoofType` and `subject`.
 */
export function makeFace(options: FaceOptions): SyntheticSample {
  const { seed, index, size, variant } = options;
  const species = options.species ?? speciesOf(index, SYNTHETIC_SPECIES);
  const subject = Math.floor(index / 2);
  const person = drawPerson(new Random(seed, subject, 1));
  const random = new Random(seed, index, 2);
  const look = drawLook(random);
  const light = drawLight(random);
  const geometry = layOut(person, look, size);
  const picture: Picture = new Float32Array(size * size * 3);
  paintBackground(picture, size, variant, random);
  paintPerson(picture, geometry, person, look, random);
  shade(picture, geometry, light);
  const scene: Scene = { picture, geometry, reflection: new Float32Array(size * size) };
  if (species === 'live') distract(picture, size, random);
  else present(scene, species, random);
  return {
    pixels: capture(picture, size, variant, light.noise, random),
    depth: species === 'live' ? depthOf(geometry) : new Uint8Array(size * size),
    reflection: reflectionOf(scene.reflection),
    labels: {
      label: species === 'live' ? 'live' : 'spoof',
      spoofType: species,
      illumination: light.illumination,
      attributes: attributesOf(person, look),
      subject: `synthetic-${seed}-${subject}`,
    },
  };
}

/** Live at even indices; at odd ones the given species in turn. */
export function speciesOf(index: number, species: readonly SyntheticSpecies[]): SyntheticSpecies | 'live' {
  return index % 2 === 0 ? 'live' : species[Math.floor(index / 2) % species.length];
}

function reflectionOf(light: Float32Array): Uint8Array {
  const map = new Uint8Array(light.length);
  for (let i = 0; i < map.length; i++) map[i] = toByte(light[i] / FULL_REFLECTION);
  return map;
}
