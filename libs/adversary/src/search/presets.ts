/** Searches by name: FGSM and PGD are presets of one loop. */
import { formatSearch, type SearchConfig } from '@facet/contracts';
import { gradientDescent } from './gradient-descent.js';
import type { Search } from './search.js';

/** The search that a plan's configuration names. */
export function searchOf(config: SearchConfig): Search {
  switch (config.name) {
    case 'fgsm':
      // Goodfellow et al., ICLR 2015: one step of length epsilon from the clean image.
      return gradientDescent({ name: 'fgsm', steps: 1, restarts: 1, relativeStep: 1, randomStart: false });
    case 'pgd':
      // Madry et al., ICLR 2018; step 2.5 epsilon / steps.
      return gradientDescent({
        name: formatSearch(config),
        steps: config.steps,
        restarts: config.restarts,
        relativeStep: config.relativeStep ?? 2.5 / config.steps,
        randomStart: true,
      });
  }
}
