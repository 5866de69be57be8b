// What both tests read: the repository's files, and the packages that ./dev test has installed.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const read = (name) => fs.readFileSync(path.resolve(root, name), 'utf8');

const packages = createRequire(process.env.EDITOR_PACKAGES);
export const load = (name) => packages(name);
export const whereIs = (name) => packages.resolve(name);

// The names below a folder of the repository that end so.
export function filesBelow(folder, ending) {
  return fs.readdirSync(path.resolve(root, folder), {withFileTypes: true})
    .flatMap((entry) => {
      const name = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(name, ending) : name.endsWith(ending) ? [name] : [];
    })
    .sort();
}

// Which schema a text asks for by its modelines: all of them must say the same. null: none.
export function modeline(name) {
  const asked = [...read(name).matchAll(/^# yaml-language-server: \$schema=(\S+)$/gm)];
  const schemas = new Set(asked.map((one) => path.join(path.dirname(name), one[1])));
  if (schemas.size > 1) throw new Error(`${name} asks for ${[...schemas].join(' and ')}`);
  return schemas.size === 0 ? null : [...schemas][0];
}
