/** Follows an evaluation as a client of the gateway does: over whatever replica answers, from where a connection broke. */
import { type Cluster, createClusterToken } from '@facet/cli';
import { api } from '@facet/contracts';

const AGAIN_MS = 500;

export class Follower {
  /** Connections that broke, or were refused by a gateway that was not there. */
  broken = 0;
  /** The last state that was told. */
  progress: api.EvaluationProgress | undefined;
  readonly #seen = new Set<string>();
  /** Events that came although they had come before. */
  repeated = 0;

  /** Resolves with the end of the evaluation, or at the signal. */
  async follow({ gateways, connections }: Cluster, evaluation: string, signal: AbortSignal): Promise<void> {
    const token = await createClusterToken(connections, { name: 'chaos', role: 'viewer' });
    let lastEventId: string | undefined;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const url = `${gateways[attempt % gateways.length]}/v1/evaluations/${evaluation}/events`;
        const headers = {
          authorization: `Bearer ${token}`,
          ...(lastEventId && { 'last-event-id': lastEventId }),
        };
        const answer = await fetch(url, { headers, signal });
        if (answer.status === 204) return;
        // It may not have been asked for yet, or its gateway not reach the store.
        if (!answer.ok || answer.body === null) throw new Error(`${answer.status}`);
        for await (const { id, progress } of eventsOf(answer.body)) {
          if (this.#seen.has(id)) this.repeated++;
          this.#seen.add(id);
          [lastEventId, this.progress] = [id, progress];
        }
        if (this.progress !== undefined && api.ENDED.includes(this.progress.state)) return;
      } catch {
        this.broken++;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>) {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, id, data] = /^id: (.*)\nevent: progress\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (id !== undefined) yield { id, progress: api.EvaluationProgress.parse(JSON.parse(data)) };
    }
  }
}
