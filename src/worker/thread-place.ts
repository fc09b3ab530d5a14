// The option `thread` of a worker, checked where it is written.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import { checkObject, checkOptions } from '../engine/checks.ts'
import type { ThreadKind } from '../engine/pool/threads.ts'
import { isSource, moduleBeside } from '../lib/beside.ts'
import { handlerMissing, optionInvalid } from '../model/errors.ts'

/** A thread with settings of its own. */
export interface ThreadSettings {
  readonly url: string | URL
  /** The most its code may take, such as `{ maxOldGenerationSizeMb: 64 }`: what takes more has crashed. */
  readonly resourceLimits?: ResourceLimits
}

export type ThreadOption = string | URL | ThreadSettings

export interface ThreadPlace {
  /** The URL of a file. */
  readonly module: string
  readonly kind: ThreadKind
}

// Node runs no TypeScript of its own accord.
const execArgv = isSource(import.meta.url) ? ['--import', 'jiti/register'] : undefined

export function threadPlace(name: string, thread: ThreadOption): ThreadPlace {
  const what = `thread of '${name}'`
  const settings = isUrl(thread) ? { url: thread } : thread
  checkOptions(what, settings, ['url', 'resourceLimits'])
  const { url, resourceLimits } = settings
  if (resourceLimits !== undefined) checkObject(`resourceLimits of ${what}`, resourceLimits)
  const host = moduleBeside(import.meta.url, 'thread-host')
  return {
    module: moduleOf(what, url),
    kind: { key: JSON.stringify(resourceLimits ?? {}), host, execArgv, resourceLimits },
  }
}

function moduleOf(what: string, url: unknown): string {
  if (!isUrl(url) || String(url) === '') throw optionInvalid(what, url, expected)
  const text = String(url)
  const module = isAbsolute(text) || !URL.canParse(text) ? pathToFileURL(resolve(text)).href : text
  if (!module.startsWith('file:')) throw optionInvalid(what, text, expected)
  if (!existsSync(fileURLToPath(module)))
    throw optionInvalid(what, text, `${expected}; there is no ${fileURLToPath(module)}`)
  return module
}

/**
 * Throws `definition_invalid` when the text of a module shows that a thread will not find the handler in it: it exports nothing,
 * or, where the code is told by the file alone, nothing that could be that. What only running it can show is told by the first attempt.
 */
export function checkHandler({ module, name, handler }: Looked): void {
  const file = fileURLToPath(module)
  const text = readFileSync(file, 'utf8')
  const mayHave = mayExport.test(text) && (handler !== undefined || mayExportHandler.test(text))
  if (mayHave) return
  throw handlerMissing(
    name,
    file,
    Array.from(text.matchAll(exportedNames), ([, exported = '']) => exported),
  )
}

interface Looked {
  /** The URL of its file. */
  readonly module: string
  readonly name: string
  /** The name of the function that the worker was given; undefined when it was given none. */
  readonly handler: string | undefined
}

const mayExport = /\bexports?\b/
// Also what exports a definition, whose handler it is, or hands on what another module exports.
const mayExportHandler = /\bhandler\b|\bdefault\b|\bexports\b|\bexport\s*\*|\b(?:worker|workflow|register)\b/
const exportedNames = /\bexport\s+(?:async\s+)?(?:function\*?|const|let|var|class)\s+([\w$]+)/g

const expected = "import.meta.url, new URL('./work.ts', import.meta.url) or the path of a file"

/** Also a URL of another realm. */
function isUrl(value: unknown): value is string | URL {
  return typeof value === 'string' || Object.prototype.toString.call(value) === '[object URL]'
}
