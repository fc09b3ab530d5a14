// Where a command's store and definitions come from: flags, a config file, folders of workers and templates.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { checkTroupeOptions, type TroupeOptions } from '../engine/options/options.ts'
import { poolBounds } from '../engine/options/settings.ts'
import { isTroupeError, TroupeError } from '../lib/errors.ts'
import type { Coding } from '../model/codecs/codecs.ts'
import type { Discovered, SkippedFile } from '../model/discovered.ts'
import { isPostgresUrl, withoutPassword } from '../store/postgres/place.ts'
import { Troupe } from '../troupe.ts'
import { filesIn } from '../worker/discover.ts'
import { loadModule } from '../worker/load-module.ts'
import type { Io } from './io.ts'
import { usage } from './usage.ts'

const configNames: readonly string[] = [
  'troupe.config.ts',
  'troupe.config.mts',
  'troupe.config.js',
  'troupe.config.mjs',
]

const defaultStore = 'sqlite:.troupe/troupe.db'
const defaultWorkers = 'workers'
const defaultTemplates = 'templates'
// More than a person reads.
const mostFiles = 12

/** For the help of commands that serve queues. */
export const queuesHelp = `It serves the queue default, or the queues that 'queues' of the configuration names:

  // ${configNames[0]}
  export default { queues: ['default', 'mail'] }`

/** The flags that every command has. */
export interface CommonFlags {
  readonly store?: string
  readonly config?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

export interface Settings {
  readonly options: TroupeOptions
  /** Where definitions were looked for, for people: `troupe.config.ts`, `workers/`. */
  readonly origins: readonly string[]
}

/** Everything that is needed to perform runs. Throws `config_invalid`, `file_not_loaded`, `usage`. */
export async function loadSettings(flags: CommonFlags, folder: string): Promise<Settings> {
  const settings = await findSettings(flags, folder)
  if (settings === undefined) throw nothingDefined(findConfig(flags, folder), folder)
  return settings
}

/** The same; undefined where no code is, as next to a store elsewhere. */
export async function findSettings(flags: CommonFlags, folder: string): Promise<Settings | undefined> {
  const file = findConfig(flags, folder)
  const config = file === undefined ? {} : await loadConfig(file, folder)
  const workers = workersOf(config, folder)
  const templates = templatesOf(config, folder)
  if (workers === undefined && templates === undefined && config.definitions === undefined) return undefined
  const store = storeOf(flags, config, folder)
  return {
    options: {
      ...config,
      store,
      ...(workers !== undefined && { workers }),
      ...(templates !== undefined && { templates }),
    },
    origins: [
      ...(file === undefined ? [] : [shown(file, folder)]),
      ...[workers, templates].flatMap((each) => (each === undefined ? [] : [`${shown(each, folder)}/`])),
    ],
  }
}

export interface StoreSettings {
  readonly store: string
  readonly coding: Coding | undefined
  /** Whether its tables may be brought up to date. */
  readonly migrate: boolean
}

/** The store and how it is read, for commands that only look. A `--store` spares the config file, unless that is named too. */
export async function loadStore(flags: CommonFlags, folder: string): Promise<StoreSettings> {
  const isSpared = flags.store !== undefined && flags.config === undefined
  const file = isSpared ? undefined : findConfig(flags, folder)
  if (file === undefined) return { store: storeOf(flags, {}, folder), coding: undefined, migrate: true }
  const config = await loadConfig(file, folder)
  const { coding, migrate } = await checked([shown(file, folder)], () => {
    const options = checkTroupeOptions(config)
    poolBounds(options.pools, {})
    return options
  })
  return { store: storeOf(flags, config, folder), coding, migrate }
}

/** The file of a store URL; undefined for one in memory or elsewhere. */
function storeFile(url: string): string | undefined {
  const path = /^sqlite:(.+)$/.exec(url)?.[1]
  return path === ':memory:' ? undefined : path
}

/** The error for definitions that were looked for and are nowhere: what was looked into, and why nothing of it counts. */
export function definesNothing({ origins, options: { workers } }: Settings): TroupeError {
  const verb = origins.length === 1 ? 'defines' : 'define'
  const what = `${origins.join(' and ')} ${verb} no worker or workflow: export what worker() or workflow() returns.`
  const seen = workers === undefined ? [] : seenFiles(workers)
  const folder = origins.find((origin) => origin.endsWith('/'))
  const more =
    seen.length > 0 ? `\n\nLooked at:\n\n${seen.join('\n')}` : folder === undefined ? '' : firstWorker(folder)
  return new TroupeError('config_invalid', `Nothing to run: ${what}${more}`)
}

function seenFiles(workers: string): string[] {
  const { files, skipped } = filesIn(workers)
  const loaded = files.map((file) => ({ file, why: 'it exports no definition and no install' }))
  return skippedLines([...loaded, ...skipped], dirname(workers))
}

export interface Opened {
  readonly troupe: Troupe
  /** Files of the folder of workers that define nothing. */
  readonly skipped: readonly SkippedFile[]
}

/** Opens an engine; what is wrong with the options of the config file is told with its name. */
export async function openFor(
  { origins, options }: Settings,
  own: TroupeOptions,
  { clock }: Pick<Io, 'clock'>,
): Promise<Opened> {
  let skipped: readonly SkippedFile[] = []
  const discovered = (found: Discovered): void => void (skipped = found.skipped)
  const troupe = await checked(origins, () => Troupe.openIn({ ...options, ...own }, { clock, discovered }))
  return { troupe, skipped }
}

/** What is wrong with an option is told with the name of the config file. */
async function checked<Result>([file = '']: readonly string[], use: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await use()
  } catch (error) {
    if (!isTroupeError(error, 'option_invalid') || file === '' || file.endsWith('/')) throw error
    throw new TroupeError(error.code, `${file}: ${error.message}`, {
      details: { ...error.details, file },
      cause: error,
    })
  }
}

/** Files that were left out and why, a line each; no more than a person reads. */
export function skippedLines(skipped: readonly SkippedFile[], folder: string): string[] {
  const lines = skipped.map(({ file, why }) => `  ${shown(file, folder)} (${why})`)
  const more = lines.length - mostFiles
  return more > 0 ? [...lines.slice(0, mostFiles), `  and ${more} more`] : lines
}

function findConfig(flags: CommonFlags, folder: string): string | undefined {
  if (flags.config === undefined) return configNames.map((name) => join(folder, name)).find((file) => existsSync(file))
  const file = resolve(folder, flags.config)
  if (existsSync(file)) return file
  throw new TroupeError(
    'config_invalid',
    `The config file ${flags.config} is not there: check --config, or leave it out to use ${configNames[0]}.`,
  )
}

async function loadConfig(file: string, folder: string): Promise<TroupeOptions> {
  const module = await loadModule(file)
  // A CommonJS file is its own default; one that was compiled to CommonJS has it one level down.
  const outer = module['default'] ?? module['options']
  const options = isRecord(outer) && isRecord(outer['default']) ? outer['default'] : outer
  if (isRecord(options)) return options
  const found = options === undefined ? `exports ${exportNames(module)}` : `exports ${describe(options)}`
  throw new TroupeError(
    'config_invalid',
    `${shown(file, folder)} ${found}: write \`export default { … }\` with the options of Troupe.open, as in { workers: './workers' }.`,
    { details: { file } },
  )
}

function workersOf(config: TroupeOptions, folder: string): string | undefined {
  if (typeof config.workers === 'string') return resolve(folder, config.workers)
  if (config.workers !== undefined || config.definitions !== undefined) return config.workers
  return folderIn(folder, defaultWorkers)
}

/** A folder of that name may be for something else where the config says where definitions are. */
function templatesOf(config: TroupeOptions, folder: string): string | undefined {
  if (typeof config.templates === 'string') return resolve(folder, config.templates)
  const isTold = [config.templates, config.workers, config.definitions].some((each) => each !== undefined)
  return isTold ? config.templates : folderIn(folder, defaultTemplates)
}

function folderIn(folder: string, name: string): string | undefined {
  const path = join(folder, name)
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : undefined
}

function storeOf(flags: CommonFlags, config: TroupeOptions, folder: string): string {
  if (flags.store !== undefined && !isStoreUrl(flags.store)) throw storeFlagInvalid(withoutPassword(flags.store))
  const url = flags.store ?? config.store ?? defaultStore
  const file = typeof url === 'string' ? storeFile(url) : undefined
  return file === undefined ? url : `sqlite:${resolve(folder, file)}`
}

const isStoreUrl = (url: string): boolean => url.startsWith('sqlite:') || isPostgresUrl(url)

function storeFlagInvalid(store: string): TroupeError {
  return usage(`--store is '${store}': give sqlite:PATH, as in --store ${defaultStore}, or postgres://…`, { store })
}

function nothingDefined(file: string | undefined, folder: string): TroupeError {
  const config = file === undefined ? `no ${configNames[0]}` : `no definitions in ${shown(file, folder)}`
  return new TroupeError(
    'config_invalid',
    `Nothing to run: ${config} and no ${defaultWorkers} folder in ${folder}.${firstWorker(`${defaultWorkers}/`)}`,
  )
}

function firstWorker(folder: string): string {
  return `\n\nMake ${folder}greet.ts:\n\n  ${exampleWorker.join('\n  ')}\n\nand start it: troupe run greet '"ann"'`
}

const exampleWorker: readonly string[] = [
  "import { worker } from 'troupe'",
  "export const greet = worker('greet', {}, (ctx, name: string) => `hello ${name}`)",
]

export function shown(path: string, folder: string): string {
  const short = relative(folder, path)
  return short === '' || short.startsWith('..') ? path : short
}

function exportNames(module: Record<string, unknown>): string {
  const names = Object.keys(module)
  return names.length === 0 ? 'nothing' : `only ${names.join(', ')}`
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  return Array.isArray(value) ? 'a list' : JSON.stringify(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
