/** Finds the `zeroerr` program, and says what to do when it is not there. */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** Where the program is, or why it is not. */
export type Found = { readonly path: string } | { readonly missing: string };

/**
 * The configured program, else the one that the extension brings, else the first one on the `PATH`.
 *
 * @param configured `zeroerr.server.path`; `~/` stands for the home folder.
 * @param bundle The folder of the extension in which a package for one platform has the program.
 */
export function findServer(configured: string, bundle: string): Found {
  if (configured !== '') {
    const file = configured.startsWith('~/') ? path.join(os.homedir(), configured.slice(2)) : configured;
    if (isProgram(file)) {
      return { path: file };
    }
    return { missing: `The setting zeroerr.server.path names ${file}, which is no program that can be run.` };
  }
  const names = process.platform === 'win32' ? ['zeroerr.exe'] : ['zeroerr'];
  for (const folder of [bundle, ...(process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean)]) {
    const file = names.map((name) => path.join(folder, name)).find(isProgram);
    if (file !== undefined) {
      return { path: file };
    }
  }
  return { missing: 'The program zeroerr is not on the PATH. Install it, or name it in the setting zeroerr.server.path.' };
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
