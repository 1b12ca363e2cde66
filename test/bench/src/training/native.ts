/** TensorFlow.js on TensorFlow's own library as a trainer, in a process of its own: `native-peer.ts`. */
import { fileURLToPath } from 'node:url';
import { findAddon } from '@facet/tensorflow-addon';
import { z } from 'zod';
import type { Sample } from '../frame/interleave.js';
import { Conversation } from '../peers/conversation.js';
import type { Course } from './pytorch.js';
import type { NetworkName } from './task.js';

const Timed = z.object({ wallMs: z.number(), cpuMs: z.number() });
const Trained = z.object({
  losses: z.array(z.record(z.string(), z.number())),
  trained: z.array(z.number()),
});

export class Native {
  private constructor(
    private readonly peer: Conversation,
    private readonly parts: number,
  ) {}

  /** Undefined where the addon is not built. */
  static open(name: NetworkName, threads: number): Native | undefined {
    if (findAddon() === undefined) return undefined;
    const script = fileURLToPath(new URL('./native-peer.js', import.meta.url));
    return new Native(
      new Conversation('TensorFlow.js', process.execPath, [script, name, `${threads}`]),
      threads,
    );
  }

  /** Times one step on the first batch, whole. */
  async time(): Promise<Sample> {
    return Timed.parse(await this.peer.ask({ run: 'step' }));
  }

  /** Trains that many steps from the task's weights, with as many parts as threads. */
  async train(steps: number): Promise<Course> {
    const { losses, trained } = Trained.parse(await this.peer.ask({ train: steps, parts: this.parts }));
    return { losses, trained: Float64Array.from(trained) };
  }

  close(): Promise<void> {
    return this.peer.close();
  }
}
