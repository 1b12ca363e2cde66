/**
 * Presentation attacks: how a face looks on paper, on a screen or as a mask. Every cue is scaled by a strength
 * in [0.3, 1] of the picture's own, so that some attacks are nearly free of them. What a medium reflects is
 * added to the picture and written down: the true reflection map.
 */
import { mask } from './mask.js';
import { paintFrame, paperWhite } from './optics.js';
import { cutOut, print } from './paper.js';
import type { Random } from './random.js';
import { faceWithEyeHoles, lowerFace, upperFace } from './regions.js';
import type { Scene } from './scene.js';
import { PAD, PHONE, replay } from './screen.js';

/** The PAI species that the renderer knows, by their names in CelebA-Spoof. */
export const SYNTHETIC_SPECIES = ['photo', 'phone', 'pad', '3d-mask', 'face-mask', 'region-mask'] as const;
export type SyntheticSpecies = (typeof SYNTHETIC_SPECIES)[number];

export function present(scene: Scene, species: SyntheticSpecies, random: Random): void {
  const strength = random.uniform(0.3, 1);
  switch (species) {
    case 'photo':
      print(scene, undefined, strength, random);
      if (random.chance(0.3)) paintFrame(scene.picture, scene.geometry.size, paperWhite(random), random);
      break;
    case 'phone':
      replay(scene, PHONE, strength, random);
      break;
    case 'pad':
      replay(scene, PAD, strength, random);
      break;
    case '3d-mask':
      mask(scene, strength, random);
      break;
    case 'face-mask':
      cutOut(scene, faceWithEyeHoles(scene.geometry), strength, random);
      break;
    case 'region-mask':
      cutOut(
        scene,
        random.chance(0.5) ? upperFace(scene.geometry) : lowerFace(scene.geometry),
        strength,
        random,
      );
      break;
  }
}
