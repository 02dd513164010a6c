/** Waiting, with a failure that says what for. */

export async function until(what: string, seconds: number, probe: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await probe())) {
    if (Date.now() > end) {
      throw new Error(`waited ${seconds} s for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(`test: seen ${what}`);
}
