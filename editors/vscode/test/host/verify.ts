/** The test explorer with the real server: what fails is told on its line, and what is mended passes. */

import * as assert from 'node:assert/strict';

import { headerOf, start } from './start';
import { until } from './until';

export async function run(): Promise<void> {
  const { document, editor, api } = await start();
  await until('the explorer to list the functions', 120, () => api.tests().includes('  total: not written yet'));

  const line = headerOf(document, 'total');
  const write = (body: string) =>
    editor.edit((edit) => edit.replace(document.lineAt(line).range, `def total(xs: list[int]) -> int: ${body}`));

  await write('return len(xs)');
  await until('the explorer to see the function', 120, () => api.tests().includes('  total: '));
  await api.runTests();
  const failed = api.tests();
  assert.ok(failed.some((text) => /^ {4}tests: .*failed|^ {4}tests: /.test(text)), failed.join('\n'));
  await until('the gutter to say that it failed', 120, () => api.marks(document.uri).includes(`${line + 1}: failed`));
  console.log(`test: ${failed.find((text) => text.startsWith('  total'))?.trim()}`);

  await write('return sum(xs)');
  assert.ok(!api.marks(document.uri).includes(`${line + 1}: failed`), 'a mark outlived the text it was about');
  await until('the gutter to say that it changed', 120, () => api.marks(document.uri).includes(`${line + 1}: changed`));
  await api.runTests();
  await until('the gutter to say that it passed', 120, () => api.marks(document.uri).includes(`${line + 1}: passed`));
  console.log(`test: ${api.tests().find((text) => text.startsWith('  total'))?.trim()}`);
}
