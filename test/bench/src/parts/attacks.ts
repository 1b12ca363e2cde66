/**
 * Do our searches find what others find, and at what cost? The demo's trained network, as ONNX here and rebuilt from the
 * same weights in PyTorch; the same images, all decided rightly; the same budget of one 8-bit level, at which the network
 * does not lose everything. As many worker threads of ours as PyTorch has threads. Ours includes reading and writing PNG
 * files and is judged at 8 bits; theirs is only the attack, and also judged at 8 bits, where rounding cannot leave the
 * budget of whole levels. What the libraries' own unrounded images reach stands beside it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSearch, SearchConfig } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { z } from 'zod';
import { trained, type Trained } from '../attack/trained.js';
import { compared, interleave, mean, type Sample, timed, type Timing } from '../frame/interleave.js';
import { THREADS } from '../frame/machine.js';
import type { Part } from '../frame/part.js';
import type { Conversation } from '../peers/conversation.js';

const EPSILON = 1 / 255;
/** A third. */
const TARGET = 0.333;
/** Logits of both worlds may differ by this: float32, other kernels. */
const MOST_LOGIT_ERROR = 1e-3;

interface Case {
  /** The libraries' own, step for step, and what we would take for the same budget of passes. */
  readonly searches: readonly SearchConfig[];
  readonly images: number;
  readonly peers: readonly string[];
  readonly rounds: number;
}

const pgd = (how: { readonly steps: number; readonly restarts?: number }): SearchConfig[] =>
  [{}, { relativeStep: 1, schedule: 'cosine', abandon: 0.3 }].map((own) =>
    SearchConfig.parse({ name: 'pgd', ...how, ...own }),
  );

const CASES: ReadonlyMap<string, Case> = new Map<string, Case>([
  [
    'pgd-10',
    {
      searches: pgd({ steps: 10 }),
      images: 480,
      peers: ['torchattacks pgd-10', 'foolbox pgd-10'],
      rounds: 5,
    },
  ],
  [
    'pgd-40x5',
    {
      searches: pgd({ steps: 40, restarts: 5 }),
      images: 64,
      peers: ['torchattacks pgd-40x5', 'foolbox pgd-40x5'],
      rounds: 2,
    },
  ],
  [
    'auto',
    {
      searches: [{ name: 'auto' }],
      images: 32,
      // AutoAttack's other parts need a third class, or are no margin's.
      peers: ['torchattacks apgd + square'],
      rounds: 1,
    },
  ],
]);

/** Each on the network as its file has it, and on the one that PyTorch runs fastest. */
const peersOf = ({ peers }: Case): readonly string[] => peers.flatMap((name) => [name, `${name}, tuned`]);

const Hello = z.object({ logits: z.array(z.array(z.number())), versions: z.record(z.string(), z.string()) });
const Answer = z.object({
  wallMs: z.number(),
  cpuMs: z.number(),
  fooled: z.array(z.boolean()),
  fooled8bit: z.array(z.boolean()),
  largest: z.number(),
});

const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

/** At most in a shard and in a batch of it, as the default plan has them. */
const [SHARD, BATCH] = [64, 32];
/** Shards for each thread at least, so that none waits long for the last of another. */
const SHARDS_A_THREAD = 4;

/** Runs our search over the images, dealt to shards; true for each that is fooled. */
async function ours(
  engine: Engine,
  { source, samples, labels }: Trained,
  search: SearchConfig,
  seed: number,
) {
  const fooled = new Array<boolean>(samples.length);
  const all = samples.map((_, i) => i);
  const shards = Math.max(SHARDS_A_THREAD * THREADS, Math.ceil(samples.length / SHARD));
  await Promise.all(
    Array.from({ length: shards }, async (_, shard) => {
      const own = all.filter((i) => i % shards === shard);
      const { adversarialScores } = await engine.attack({
        source,
        facet: undefined,
        objective: 'direct',
        search,
        threat: { norm: 'linf', epsilon: EPSILON },
        threshold: 0,
        seed,
        batch: BATCH,
        images: { photos: own.map((i) => ({ png: samples[i].png })), prepared: true },
        keys: own.map((i) => samples[i].key),
        labels: Uint8Array.from(own, (i) => labels[i]),
        truth: {},
      });
      own.forEach((i, k) => (fooled[i] = adversarialScores[k] >= 0 !== (labels[i] === 0)));
    }),
  );
  return fooled;
}

async function expectSameNetwork(engine: Engine, { source, samples }: Trained, hello: z.infer<typeof Hello>) {
  const images = { photos: samples.map(({ png }) => ({ png })), prepared: true };
  const { scores } = await engine.describe({ source, images, batch: BATCH, features: [] });
  const [live] = source.manifest.output.kind === 'logits' ? source.manifest.output.live : [];
  const error = Math.max(
    ...hello.logits.map((logits, i) => Math.abs(logits[live] - logits[1 - live] - scores[i])),
  );
  if (!(error <= MOST_LOGIT_ERROR))
    throw new Error(`margins differ by ${error} between ONNX Runtime and PyTorch: not the same network`);
}

/** Keeps what each run of a contender fooled, beside its time. */
class Successes {
  readonly #shares = new Map<string, number[]>();

  add(name: string, value: number): void {
    this.#shares.set(name, [...(this.#shares.get(name) ?? []), value]);
  }

  /** Over the runs that were timed: the first only warms up. */
  of(name: string): number {
    return mean(this.#shares.get(name)!.slice(1));
  }
}

async function contest(engine: Engine, given: Trained, one: Case, peer: Conversation) {
  const successes = new Successes();
  const seeds = new Map<string, number>();
  const seedOf = (name: string): number => {
    const seed = seeds.get(name) ?? 0;
    seeds.set(name, seed + 1);
    return seed;
  };
  const contenders: Record<string, () => Promise<Sample>> = {};
  for (const search of one.searches) {
    const name = formatSearch(search);
    contenders[name] = async () => {
      let fooled: boolean[] = [];
      const sample = await timed(async () => {
        fooled = await ours(engine, given, search, seedOf(name));
      });
      successes.add(name, share(fooled));
      return sample;
    };
  }
  for (const name of peersOf(one))
    contenders[name] = async () => {
      const answer = Answer.parse(await peer.ask({ run: name, seed: seedOf(name) }));
      if (answer.largest > EPSILON + 1e-6)
        throw new Error(`${name} left the budget: ${answer.largest * 255} levels`);
      successes.add(name, share(answer.fooled8bit));
      successes.add(`${name}, unrounded`, share(answer.fooled));
      return answer;
    };
  const pace = { minimum: one.rounds, maximum: one.rounds };
  return { timings: (await interleave(contenders, pace)) as Record<string, Timing>, successes };
}

async function talk(given: Trained, peer: Conversation, folder: string): Promise<z.infer<typeof Hello>> {
  const images = join(folder, 'images.u8');
  await writeFile(images, given.planes);
  const { output } = given.source.manifest;
  const live = output.kind === 'logits' ? output.live[0] : 0;
  const labels = Array.from(given.labels, (label) => (label === 0 ? live : 1 - live));
  return Hello.parse(await peer.ask({ images, labels, epsilon: EPSILON }));
}

export const attacks: Part = {
  name: 'attacks',
  about: `searches beside torchattacks and Foolbox: success and wall time on one network, ${THREADS} threads each`,
  cases: [...CASES.keys()],
  async *run(name, { peers, log }) {
    const one = CASES.get(name)!;
    const engine = new Engine({ threads: THREADS });
    const folder = await mkdtemp(join(tmpdir(), 'facet-bench-'));
    try {
      const given = await trained(engine, one.images, log);
      const { output, input } = given.source.manifest;
      const args = [given.file, output.name, `${input.height}`, `${THREADS}`];
      const peer = await peers.conversation('attacks.py', args, 'attacks.txt');
      try {
        const hello = await talk(given, peer, folder);
        peers.used(hello.versions);
        await expectSameNetwork(engine, given, hello);
        const { timings, successes } = await contest(engine, given, one, peer);
        for (const subject of one.searches.map(formatSearch))
          for (const baseline of peersOf(one))
            yield compared({
              subject: [subject, timings[subject]],
              baseline: [baseline, timings[baseline]],
              target: TARGET,
              success: [successes.of(subject), successes.of(baseline)],
              figures: {
                images: one.images,
                baselineSuccessUnrounded: successes.of(`${baseline}, unrounded`),
              },
            });
      } finally {
        await peer.close();
      }
    } finally {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
