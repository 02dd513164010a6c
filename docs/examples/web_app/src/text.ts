// Words of pages, as their addresses have them.

// @spec Turn a title into a slug for an address: lower case, each run of characters other than a-z and
//   0-9 becomes one dash, and there is no dash at either end.
// @example slug("Hello, World!") === "hello-world"
// @example slug("  a  b ") === "a-b"
// @example slug("") === ""
// @ensures /^([a-z0-9]+(-[a-z0-9]+)*)?$/.test(result)
// @property slug(slug(title)) === slug(title)
export function slug(title: string): string {
  throw new Error("not implemented");
}

/**
 * Splits a list of entries into pages.
 *
 * @spec Return the pages of items, each of at most size items, in order.
 * @requires size > 0 && Number.isInteger(size)
 * @ensures result.flat().length === items.length
 * @ensures result.every((page) => page.length > 0 && page.length <= size)
 * @example
 * pages([1, 2, 3], 2); // => [[1, 2], [3]]
 * pages([], 5); // => []
 */
export function pages(items: number[], size: number): number[][] {
  throw new Error("not implemented");
}
