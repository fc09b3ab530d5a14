// Finding definitions in a folder of TypeScript and JavaScript files.
import { readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createJiti } from 'jiti'
import { isDefinition, type AnyDefinition } from '../engine/definition.ts'
import { toError, TroupeError } from '../lib/errors.ts'
import { projectPlace } from '../lib/stack-places.ts'

/** Where the definitions of a folder go. */
export interface Registrar {
  register(definition: AnyDefinition): Promise<void>
}

// A folder of workers is shallow; what lies deeper is theirs.
const levels = 3
const isSource = /\.(ts|js|mts|mjs)$/
const isSkipped = /^_|^index\.|\.inc\.|\.d\.m?ts$|\.(test|spec)\./

/**
 * Registers every definition exported by the files of a folder, three levels deep, and calls and awaits each exported `install(troupe)`.
 *
 * Skipped: `index.*`, `_*`, `*.inc.*`, `*.d.ts`, `*.test.*`, `*.spec.*`. Throws: `file_not_loaded` naming the file; `definition_exists`.
 */
export async function discover(folder: string, troupe: Registrar): Promise<void> {
  const root = resolve(folder)
  for (const file of sourceFiles(root)) await install(await loadModule(file), troupe)
}

/** Loads one module, TypeScript too, on every supported Node. Throws `file_not_loaded`. */
export async function loadModule(file: string): Promise<Record<string, unknown>> {
  try {
    const jiti = createJiti(pathToFileURL(file).href, { nativeModules: ['troupe'], interopDefault: false })
    return await jiti.import<Record<string, unknown>>(file)
  } catch (cause) {
    // Node adds a list of requiring files below the first line; the cause still has it.
    const why = (toError(cause).message.split('\n')[0] ?? '').trim()
    const place = placeOf(cause)
    const remedy = why.includes("'troupe'") ? '. Run `npm install troupe` in this project' : ''
    throw new TroupeError('file_not_loaded', `${relative('.', file)} could not be loaded: ${why}${place}${remedy}`, {
      cause,
      details: { file },
    })
  }
}

// What parsers add below the first line of their message.
const parsed = /^\s*(\S.*:\d+:\d+)\s*$/m

/** Where to look, in this file or one that it imports: ` (workers/greet.ts:3)`. */
function placeOf(cause: unknown): string {
  const told = parsed.exec(toError(cause).message.split('\n').slice(1).join('\n'))?.[1]
  if (told !== undefined) return ` (${relative('.', told)})`
  const place = projectPlace(cause)
  // Loading strips types and rewrites imports, which moves columns and keeps lines.
  return place === undefined ? '' : ` (${relative('.', place.file)}:${place.line})`
}

async function install(module: Record<string, unknown>, troupe: Registrar): Promise<void> {
  for (const exported of Object.values(module)) {
    if (isDefinition(exported)) await troupe.register(exported)
  }
  const { install: hook } = module
  if (typeof hook === 'function') await hook(troupe)
}

function sourceFiles(root: string): string[] {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new TroupeError(
      'file_not_loaded',
      `The folder of workers ${root} is not there: make it, or name another in { workers }.`,
      {
        details: { folder: root },
      },
    )
  }
  return filesIn(root, levels)
}

function filesIn(folder: string, depth: number): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return depth > 1 ? filesIn(path, depth - 1) : []
    return isSource.test(entry.name) && !isSkipped.test(entry.name) ? [path] : []
  })
}
