// Finding definitions in a folder of TypeScript and JavaScript files.
import { readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createJiti } from 'jiti'
import { isDefinition, type Definition } from '../engine/definition.ts'
import { toError, TroupeError } from '../lib/errors.ts'
import { projectPlace } from '../lib/stack-places.ts'
import type { Discovered, SkippedFile } from '../model/discovered.ts'
import { processEngine } from './global.ts'

/** An engine that looks for definitions itself. */
export interface Discoverer {
  discover(folder: string): Promise<Discovered>
}

/** Where the definitions of a folder go. */
export interface Registrar {
  register(definition: Definition): Promise<void>
  definitions(): readonly string[]
}

// A folder of workers is shallow; what lies deeper is theirs.
const levels = 3
const isSource = /\.(ts|js|mts|mjs)$/

// Names of files that are left out, and why.
const skips: readonly (readonly [RegExp, string])[] = [
  [/^_/, 'its name begins with _'],
  [/^index\./, 'it is an index'],
  [/\.inc\./, 'its name has .inc. in it'],
  [/\.d\.m?ts$/, 'it holds declarations only'],
  [/\.(test|spec)\./, 'it is a test'],
]

/**
 * Registers every definition exported by the files of a folder, three levels deep, and calls and awaits each exported `install(troupe)`.
 *
 * They go to `troupe`, or to the engine of the process (`WORKER`) when none is given, and it remembers what it left out, for its errors.
 * Skipped: `index.*`, `_*`, `*.inc.*`, `*.d.ts`, `*.test.*`, `*.spec.*`.
 * Throws: `file_not_loaded` naming the file; `definition_exists`; `worker_manager_not_initialised`.
 */
export async function discover(folder: string, troupe: Discoverer = processEngine()): Promise<Discovered> {
  return troupe.discover(folder)
}

/** The same for one who keeps what was found. */
export async function discoverInto(folder: string, troupe: Registrar): Promise<Discovered> {
  const root = resolve(folder)
  const found = sourceFiles(root)
  const files: string[] = []
  for (const file of found.files) {
    const known = troupe.definitions().length
    const isOne = await install(await loadModule(file), troupe)
    if (isOne || troupe.definitions().length > known) files.push(file)
    else found.skipped.push({ file, why: 'it exports no definition and no install' })
  }
  return { folder: root, files, skipped: found.skipped }
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

/** Whether there was something to register. */
async function install(module: Record<string, unknown>, troupe: Registrar): Promise<boolean> {
  const definitions = Object.values(module).filter((exported) => isDefinition(exported))
  for (const definition of definitions) await troupe.register(definition)
  const { install: hook } = module
  if (typeof hook === 'function') await hook(troupe)
  return definitions.length > 0 || typeof hook === 'function'
}

interface Found {
  readonly files: string[]
  readonly skipped: SkippedFile[]
}

function sourceFiles(root: string): Found {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new TroupeError(
      'file_not_loaded',
      `The folder of workers ${root} is not there: make it, or name another in { workers }.`,
      { details: { folder: root } },
    )
  }
  const found: Found = { files: [], skipped: [] }
  lookInto(root, levels, found)
  return found
}

function lookInto(folder: string, depth: number, found: Found): void {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1))
  for (const entry of entries) {
    const file = join(folder, entry.name)
    if (!entry.isDirectory()) look(file, entry.name, found)
    else if (depth > 1) lookInto(file, depth - 1, found)
    else found.skipped.push({ file, why: `it lies deeper than ${levels} levels` })
  }
}

function look(file: string, name: string, { files, skipped }: Found): void {
  if (!isSource.test(name)) return
  const why = skips.find(([pattern]) => pattern.test(name))?.[1]
  if (why === undefined) files.push(file)
  else skipped.push({ file, why })
}
