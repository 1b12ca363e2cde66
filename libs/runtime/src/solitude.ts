/**
 * Who works beside whom in a process. A job that kills its process takes down the jobs beside it; all of them come again
 * at the same time, to the same process, and after some rounds innocent ones would be given up with the guilty one. So an
 * event that has come without an end before is worked on alone: the others are finished first, and nobody takes anything
 * new meanwhile. Of two such events one is handed back, for a random while, so that they part.
 */
export class Solitude {
  private working = 0;
  private claimed = false;
  private asking = new AbortController();
  private readonly waiting = new Set<() => void>();

  /** Aborts when somebody wants to be alone: nobody may ask for messages then. */
  get signal(): AbortSignal {
    return this.asking.signal;
  }

  get isClaimed(): boolean {
    return this.claimed;
  }

  /** Resolves when messages may be asked for, or at the signal. */
  async free(signal: AbortSignal): Promise<void> {
    await this.until(() => !this.claimed, signal);
  }

  /**
   * What is to be called after the work, or undefined where somebody else works alone.
   * @param alone whether nobody else may work meanwhile; waits for those who do
   */
  async enter(alone: boolean, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (!alone) {
      this.working++;
      return () => {
        this.working--;
        this.tell();
      };
    }
    if (this.claimed) return undefined;
    this.claimed = true;
    this.asking.abort();
    await this.until(() => this.working === 0, signal);
    return () => {
      this.claimed = false;
      this.asking = new AbortController();
      this.tell();
    };
  }

  private tell(): void {
    for (const look of this.waiting) look();
  }

  private until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    if (holds() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!holds() && !signal.aborted) return;
        this.waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.waiting.add(look);
      signal.addEventListener('abort', look, { once: true });
    });
  }
}
