import assert from "node:assert/strict";
import { test } from "node:test";

import { slug } from "../src/text.ts";

test("a slug keeps words and numbers apart", () => {
  assert.equal(slug("Chapter 12: The End"), "chapter-12-the-end");
  assert.equal(slug("---"), "");
});
