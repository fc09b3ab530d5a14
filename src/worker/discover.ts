// Finding definitions in a folder of TypeScript and JavaScript files.
import { relative, resolve } from 'node:path'
import { isDefinition, type Definition } from '../engine/definition/definition.ts'
import { isSchedule, type Schedule } from '../engine/schedule/schedule.ts'
import { isTroupeError, TroupeError, type ErrorCode } from '../lib/errors.ts'
import type { Discovered } from '../model/discovered.ts'
import { processEngine } from './global.ts'
import { loadModule } from './load-module.ts'
import { sourceFiles, type FolderKind } from './source-files.ts'

/** An engine that looks for definitions itself. */
export interface Discoverer {
  discover(folder: string): Promise<Discovered>
}

/** Where the definitions of a folder go. */
export interface Registrar {
  register(definition: Definition | Schedule): Promise<unknown>
  definitions(): readonly string[]
}

const workersFolder: FolderKind = { option: 'workers', isSource: /\.(ts|js|mts|mjs)$/ }

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
  const found = sourceFiles(root, workersFolder)
  const files: string[] = []
  for (const file of found.files) {
    const known = troupe.definitions().length
    const isOne = await installFrom(file, troupe)
    if (isOne || troupe.definitions().length > known) files.push(file)
    else found.skipped.push({ file, why: 'it exports no definition and no install' })
  }
  return { folder: root, files, skipped: found.skipped }
}

const ofDefinitions: ReadonlySet<ErrorCode> = new Set(['definition_exists', 'definition_invalid', 'option_invalid'])

/** Whether there was something to register; what is refused names the file. */
async function installFrom(file: string, troupe: Registrar): Promise<boolean> {
  const module = await loadModule(file)
  try {
    return await install(module, troupe)
  } catch (error) {
    if (!isTroupeError(error) || !ofDefinitions.has(error.code)) throw error
    const { code, message, details } = error
    throw new TroupeError(code, `${relative('.', file)}: ${message}`, { details: { ...details, file }, cause: error })
  }
}

async function install(module: Record<string, unknown>, troupe: Registrar): Promise<boolean> {
  const definitions = Object.values(module).filter((exported) => isDefinition(exported))
  const schedules = Object.values(module).filter((exported) => isSchedule(exported))
  for (const one of [...definitions, ...schedules]) await troupe.register(one)
  const { install: hook } = module
  if (typeof hook === 'function') await hook(troupe)
  return definitions.length + schedules.length > 0 || typeof hook === 'function'
}

/** The files of a folder of workers that are searched, and those that are left out, without loading any. */
export function filesIn(folder: string): Pick<Discovered, 'files' | 'skipped'> {
  return sourceFiles(resolve(folder), workersFolder)
}
