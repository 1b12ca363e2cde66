/** The parts of the bench, in the order in which they run. */
import type { Part } from './frame/part.js';
import { abandonment } from './parts/abandonment.js';
import { attacks } from './parts/attacks.js';
import { bus } from './parts/bus.js';
import { evaluation } from './parts/evaluation.js';
import { families } from './parts/families.js';
import { footprint } from './parts/footprint.js';
import { gradient } from './parts/gradient.js';
import { memory } from './parts/memory.js';
import { runs } from './parts/runs.js';
import { scale } from './parts/scale.js';
import { telemetry } from './parts/telemetry.js';
import { training } from './parts/training.js';

export const PARTS: readonly Part[] = [
  families,
  gradient,
  runs,
  memory,
  training,
  attacks,
  abandonment,
  evaluation,
  bus,
  telemetry,
  footprint,
  scale,
];
