// The files of a folder that an option names: which are taken, and which are left out.
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { TroupeError } from '../lib/errors.ts'
import type { SkippedFile } from '../model/discovered.ts'

/** What a folder is for. */
export interface FolderKind {
  /** The option that names it, which is what is in it. */
  readonly option: string
  readonly isSource: RegExp
}

export interface SourceFiles {
  readonly files: string[]
  readonly skipped: SkippedFile[]
}

// Such a folder is shallow; what lies deeper is theirs.
const levels = 3

// Names of files that are left out, and why.
const skips: readonly (readonly [RegExp, string])[] = [
  [/^_/, 'its name begins with _'],
  [/^index\./, 'it is an index'],
  [/\.inc\./, 'its name has .inc. in it'],
  [/\.d\.m?ts$/, 'it holds declarations only'],
  [/\.(test|spec)\./, 'it is a test'],
]

/** Three levels deep, in the order of their names. Throws `file_not_loaded` where there is no such folder. */
export function sourceFiles(root: string, kind: FolderKind): SourceFiles {
  const entry = statSync(root, { throwIfNoEntry: false })
  if (!entry?.isDirectory()) throw notFolder(root, kind.option, entry !== undefined)
  const found: SourceFiles = { files: [], skipped: [] }
  lookInto({ folder: root, depth: levels, kind }, found)
  return found
}

function notFolder(root: string, option: string, isThere: boolean): TroupeError {
  return new TroupeError(
    'file_not_loaded',
    isThere
      ? `The folder of ${option} ${root} is a file: name the folder it is in, as in { ${option}: '${relative('.', dirname(root)) || '.'}' }.`
      : `The folder of ${option} ${root} is not there: make it, or name another in { ${option} }.`,
    { details: { folder: root } },
  )
}

interface Looking {
  readonly folder: string
  readonly depth: number
  readonly kind: FolderKind
}

function lookInto({ folder, depth, kind }: Looking, found: SourceFiles): void {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1))
  for (const entry of entries) {
    const file = join(folder, entry.name)
    if (entry.isDirectory() && depth > 1) lookInto({ folder: file, depth: depth - 1, kind }, found)
    else if (entry.isDirectory()) found.skipped.push({ file, why: `it lies deeper than ${levels} levels` })
    else if (kind.isSource.test(entry.name)) take(file, entry.name, found)
  }
}

function take(file: string, name: string, { files, skipped }: SourceFiles): void {
  const why = skips.find(([pattern]) => pattern.test(name))?.[1]
  if (why === undefined) files.push(file)
  else skipped.push({ file, why })
}
