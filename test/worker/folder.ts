// Folders of worker files for tests, removed when the test ends.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new folder of these files; `'troupe'` in them is the source that is tested. */
export function workersFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-workers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text.replaceAll("'troupe'", JSON.stringify(resolve('src/index.ts'))))
  }
  return folder
}

/** The text of a file that exports one worker, which returns its name. */
export function exporting(name: string): string {
  return `import { worker } from 'troupe'\nexport const it = worker('${name}', {}, () => '${name}')\n`
}
