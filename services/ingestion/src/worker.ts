/** Renders synthetic faces off the event loop. */
import { makeFace, storeFace, type SyntheticJob } from '@facet/datasets';
import { serveTasks, type TaskContext } from '@facet/threads';

serveTasks({
  /** Samples of a shard; progress counts them one by one. */
  render: async (jobs: readonly SyntheticJob[], { signal, progress }: TaskContext) => {
    const samples = [];
    for (const { key, face } of jobs) {
      signal.throwIfAborted();
      samples.push(await storeFace(key, makeFace(face), face.size));
      progress(1);
    }
    return samples;
  },
});
