/** How to read the page: its words, and what SFA is here. */
import { html, type Html } from '../html.js';
import { section } from '../parts.js';

const TERMS: readonly [string, string][] = [
  [
    'Facet',
    'One feature of the model whose vulnerability is measured: its decision (live), an annotation that it learned (attributes, spoof-type, illumination), a geometric map (depth, reflection), or a tensor that its manifest names.',
  ],
  ['Objective', 'What the attack increases.'],
  ['direct', "The loss of the live or spoof decision itself: the model's overall robustness."],
  [
    'facet',
    "The facet's own loss, and nothing else. Success means that hurting this facet alone flips the decision.",
  ],
  [
    'sfa',
    "The facet's loss with the prior of the data: the direction in the facet's feature that tells live from spoof, and the texture statistics that do so.",
  ],
  ['prior-only', "The prior's direction alone, without the facet's loss."],
  ['control', 'Like sfa, with a direction of shuffled labels for each sample. It must gain nothing.'],
  [
    'Epsilon',
    'How much the attack may change: for L∞ the largest change of any pixel value, for L2 the root of the mean squared change, in steps of an 8-bit value (n/255). 1/255 to 2/255 cannot be seen.',
  ],
  [
    'Attack success',
    'Of the samples that were decided right, the share whose decision flips (ASR). It is judged on the stored 8-bit image, at the frozen threshold.',
  ],
  [
    'Interval',
    'The 95 % Wilson score interval: how far the rate may be chance, given the number of samples.',
  ],
  [
    'Probe accuracy',
    "Balanced accuracy on the dev split of the prior's linear probe: how well the facet's feature tells live from spoof at all.",
  ],
  [
    'APCER, BPCER',
    'Share of spoofs accepted, for the worst species, and of live persons rejected (ISO/IEC 30107-3).',
  ],
];

export const glossary = (): Html =>
  section(
    'reading',
    'How to read it',
    html`<dl class="terms">
        ${TERMS.map(
          ([term, meaning]) =>
            html`<dt>${term}</dt>
              <dd>${meaning}</dd>`,
        )}
      </dl>
      <p class="quiet" style="margin-top:18px">
        SFA (semantic feature augmentation) is named after Yang et al., "Exposing Fine-Grained Adversarial
        Vulnerability of Face Anti-Spoofing Models" (arXiv 2205.14851), whose code was never published. What
        runs here is our reconstruction of it, found by experiment; it is not the authors' code.
      </p>`,
  );
