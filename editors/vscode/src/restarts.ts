/** What happens when the server dies: it is started again, but not for ever. */

import { CloseAction, ErrorAction, type CloseHandlerResult, type ErrorHandler, type ErrorHandlerResult } from 'vscode-languageclient/node';

/** Deaths within the time below after which the server stays away. */
const DEATHS = 5;
const WITHIN_MS = 180_000;

/** Restarts a server that died at work; `gaveUp` is told when it has died too often, or before it was ready. */
export class Restarts implements ErrorHandler {
  #deaths: number[] = [];
  readonly #ready: () => boolean;
  readonly #gaveUp: (trouble: string) => void;

  constructor(ready: () => boolean, gaveUp: (trouble: string) => void) {
    this.#ready = ready;
    this.#gaveUp = gaveUp;
  }

  /**
   * A message could not be written or read. The client's own handler shuts the server down for good
   * here, and a write into the pipe of a server that has just died fails before its end is seen: whether
   * it came back would be chance. A broken pipe is followed by `closed`, which decides.
   */
  error(): ErrorHandlerResult {
    return { action: ErrorAction.Continue, handled: true };
  }

  /** The server has gone without having been asked to. */
  closed(): CloseHandlerResult {
    if (!this.#ready()) {
      return this.#leave('The server ended before it was ready; the log says why.');
    }
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < WITHIN_MS), now];
    if (this.#deaths.length >= DEATHS) {
      return this.#leave(`The server ended ${DEATHS} times within ${WITHIN_MS / 60_000} minutes and is left stopped; the log says why.`);
    }
    return { action: CloseAction.Restart, handled: true, message: 'The server has gone; it is started again.' };
  }

  #leave(trouble: string): CloseHandlerResult {
    this.#gaveUp(trouble);
    return { action: CloseAction.DoNotRestart, handled: true, message: trouble };
  }
}
