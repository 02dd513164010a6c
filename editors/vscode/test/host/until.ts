/** Waiting, with a failure that says what for and what is there instead. */

/**
 * Waits until `probe` holds. The time is there to end a test that hangs; a busy machine may take long.
 *
 * @param instead What is there, for the failure.
 */
export async function until(what: string, seconds: number, probe: () => boolean | Promise<boolean>, instead?: () => unknown): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await probe())) {
    if (Date.now() > end) {
      const there = instead === undefined ? '' : `; there is ${JSON.stringify(instead())}`;
      throw new Error(`waited ${seconds} s for ${what}${there}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(`test: seen ${what}`);
}
