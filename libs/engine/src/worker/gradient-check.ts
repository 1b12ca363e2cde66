/**
 * Holds a model's gradient to central differences. The two sides share nothing but the file: the gradient comes from
 * the folded graph and the compiled objective, the differences from the file's own graph and scores in double precision.
 * Only a quantised graph, whose steps have no slope, is stood in for by its float counterpart.
 */
import { decisionTerm, scoresOf } from '@facet/adversary';
import type { ModelOutput } from '@facet/contracts';
import { compileForward, compileObjective, type Model, type PreparedModel } from '@facet/onnx';
import { Random } from '@facet/random';
import type { GradientCheck, SlopeCheck } from '../inspection.js';
import { asItIs, type PlainModel } from './plain-model.js';
import { f32, i64, Session } from './sessions.js';

const SEED = 1;
const DIRECTIONS = 3;
/**
 * Steps from 2^-3, each a quarter of the last one. Large ones meet the kinks of rectifiers, small ones the rounding of
 * single precision, and where these lie depends on the model.
 */
const STEPS = [3, 5, 7, 9, 11, 13, 15].map((power) => 2 ** -power);
/** What a score of size 1 may be off by: two units in the last place of single precision. */
const ROUNDING = 2 ** -22;
/** Smaller scores are differences of logits that are not. */
const LEAST_SCORE = 0.25;
/** Kinks leave up to one per cent in networks of rectifiers; a wrong rule gives far more than two. */
const TOLERANCE = 2e-2;

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/**
 * The slope from central differences over all steps: two steps make an estimate without the cubic term (Richardson), and
 * of two neighbours that agree best the finer one is taken, whatever the gradient says. `step` is its finest.
 */
export function slopeOf(differences: readonly number[]): { slope: number; step: number } {
  const refined = differences.slice(1).map((fine, i) => (16 * fine - differences[i]) / 15);
  const apart = refined.slice(1).map((fine, i) => Math.abs(fine - refined[i]));
  const best = 1 + apart.indexOf(Math.min(...apart));
  return { slope: refined[best], step: STEPS[best + 1] };
}

/** Random signs; about every other one follows the gradient, so that the slope stands out of the rounding. */
const directionAlong = (gradient: Float32Array, random: Random): Float32Array =>
  gradient.map((value) => {
    const sign = random.integer(2) * 2 - 1;
    return random.integer(2) === 1 && value !== 0 ? Math.sign(value) : sign;
  });

function relativeError(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b));
  return size === 0 ? 0 : Math.abs(a - b) / size;
}

function verdictOf(directions: readonly SlopeCheck[]): GradientCheck['verdict'] {
  const held = ({ gradient, difference, rounding }: SlopeCheck): boolean =>
    Math.abs(gradient - difference) <= TOLERANCE * Math.abs(gradient) + rounding;
  if (!directions.every(held)) return 'differs';
  const seen = directions.some(({ gradient, rounding }) => rounding < 0.1 * Math.abs(gradient));
  return seen ? 'agrees' : 'flat';
}

/** The score, high for live, of pixels [n, 3, height, width]. */
type Scores = (pixels: Float32Array, n: number) => Promise<Float64Array>;

async function slopeAlong(
  scores: Scores,
  image: Float32Array,
  gradient: Float32Array,
  direction: Float32Array,
): Promise<SlopeCheck> {
  const differences: number[] = [];
  let largest = LEAST_SCORE;
  for (const step of STEPS) {
    const both = new Float32Array(2 * image.length);
    image.forEach((value, i) => {
      both[i] = value + step * direction[i];
      both[image.length + i] = value - step * direction[i];
    });
    const [above, below] = await scores(both, 2);
    largest = Math.max(largest, Math.abs(above), Math.abs(below));
    differences.push((above - below) / (2 * step));
  }
  const { slope, step } = slopeOf(differences);
  const along = dot(gradient, direction);
  return {
    gradient: along,
    difference: slope,
    relativeError: relativeError(along, slope),
    rounding: (ROUNDING * largest) / step,
  };
}

async function using<T>(model: Model, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.open(model, 'constant');
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/**
 * @param differentiated the graph that gives the gradient; it holds the decision's tensor
 * @param scored the graph that gives the scores
 * @throws ModelError 'unsupported' where an operator on the way has no gradient
 */
export async function checkGradient(
  { input, height, width }: PlainModel,
  decision: ModelOutput,
  differentiated: PreparedModel,
  scored: PreparedModel,
): Promise<GradientCheck> {
  const raw = asItIs(input.name);
  const terms = [{ term: decisionTerm(decision), weight: 1 }];
  const objective = compileObjective(differentiated, { input: raw, terms });
  const random = new Random(SEED, 'gradient check');
  const image = Float32Array.from({ length: 3 * height * width }, () => random.uniform());
  const pixels = (n: number, data: Float32Array) => f32([n, 3, height, width], data);
  // The objective of a spoof is the score itself: high for live.
  const { gradient } = await using(objective, (session) =>
    session.run({ pixels: pixels(1, image), label: i64([1], [1]) }),
  );
  const forward = compileForward(scored, { input: raw, outputs: [decision.name] });
  return using(forward, async (session) => {
    const scores: Scores = async (data, n) =>
      scoresOf(decision, (await session.run({ pixels: pixels(n, data) }))[decision.name], n);
    const directions: SlopeCheck[] = [];
    for (let i = 0; i < DIRECTIONS; i++)
      directions.push(await slopeAlong(scores, image, gradient, directionAlong(gradient, random)));
    return {
      norm: Math.sqrt(dot(gradient, gradient)),
      directions,
      relativeError: Math.max(...directions.map((one) => one.relativeError)),
      verdict: verdictOf(directions),
    };
  });
}
