/**
 * The Chromium that the suites drive, unpacked from the npm package @sparticuz/chromium: nothing of
 * it has to be installed by hand, and every machine has the same.
 *
 *   node test/browser.ts DIR
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What Playwright needs to start the browser that lies in `folder`. */
export function browserIn(folder: string): { executablePath: string; env: Record<string, string> } {
  // The libraries that the browser links to and that a server without a desktop lacks.
  const libraries = path.join(folder, 'al2023/lib');
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LD_LIBRARY_PATH: libraries };
  const fonts = fs.existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: path.join(folder, 'fonts') };
  return { executablePath: path.join(folder, 'chromium'), env: { ...env, ...fonts } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (folder === undefined) {
    throw new Error('usage: node test/browser.ts DIR');
  }
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  // The package unpacks into the folder for temporary files.
  process.env['TMPDIR'] = path.resolve(folder);
  const { inflate } = await import('@sparticuz/chromium');
  const packed = fileURLToPath(new URL('../bin/', import.meta.resolve('@sparticuz/chromium')));
  for (const part of ['chromium.br', 'fonts.tar.br', 'al2023.tar.br']) {
    await inflate(path.join(packed, part));
  }
  const fonts = path.join(folder, 'fonts/fonts.conf');
  fs.writeFileSync(fonts, fs.readFileSync(fonts, 'utf8').replace('/tmp/fonts<', `${path.resolve(folder, 'fonts/fonts')}<`));
}
