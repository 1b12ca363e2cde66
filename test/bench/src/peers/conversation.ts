/**
 * A peer that stays: a child process that answers one line of JSON on its standard output for each line on its standard
 * input. It computes only while it is asked, so that it and we can be timed in turns. It ends when its input ends.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { peerEnvironment } from './python.js';

const KEPT_CHARACTERS = 2000;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #waiting: Waiting | undefined;
  #complaints = '';
  #failure: Error | undefined;

  constructor(
    private readonly name: string,
    command: string,
    args: readonly string[],
  ) {
    this.#child = spawn(command, args, { env: peerEnvironment(), stdio: 'pipe' });
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#complaints = (this.#complaints + data.toString()).slice(-KEPT_CHARACTERS);
    });
    // An error of the pipe is told by the child's end.
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answer(line));
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#failure ??= new Error(`${name} ${how}: ${this.#complaints.trim()}`);
        this.#waiting?.reject(this.#failure);
        this.#waiting = undefined;
        resolve();
      };
      this.#child.on('error', (error) => end(`could not be started (${error.message})`));
      this.#child.on('close', (code, signal) => end(`ended with ${code ?? signal}`));
    });
  }

  /**
   * Asks, and waits for the answer. One question at a time.
   * @throws Error where the peer answers `{"error": ...}`, answers no JSON, or has ended
   */
  ask(question: object): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waiting !== undefined)
      return Promise.reject(new Error(`${this.name} was asked again before it answered`));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    });
  }

  /** Ends the child and waits until it is gone. Idempotent. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  #answer(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    try {
      const answer = JSON.parse(line) as unknown;
      if (typeof answer === 'object' && answer !== null && 'error' in answer)
        waiting?.reject(new Error(`${this.name}: ${String(answer.error)}`));
      else waiting?.resolve(answer);
    } catch (error) {
      waiting?.reject(new Error(`${this.name} answered no JSON: ${line}`, { cause: error }));
    }
  }
}
