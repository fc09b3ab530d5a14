// Loading a module of the user's, TypeScript too, on every supported Node.
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { toError, TroupeError } from '../lib/errors.ts'
import { projectPlace } from '../lib/stack-places.ts'

/** Loads one module, TypeScript too, on every supported Node. Throws `file_not_loaded`. */
export async function loadModule(file: string): Promise<Record<string, unknown>> {
  let isIdle = false
  const rest = (): void => void (isIdle = true)
  const tell = (code: number): void => {
    const why = isIdle
      ? 'a top-level await in it, or in what it imports, never settles'
      : `its code, or what that imports, ended the process with exit code ${code}`
    process.stderr.write(
      `troupe: The process ended while ${relative('.', file)} was loaded: ${why}. [file_not_loaded]\n`,
    )
  }
  // In a thread its end is told by the run.
  if (isMainThread) process.once('beforeExit', rest).once('exit', tell)
  try {
    return await load(file)
  } finally {
    process.off('beforeExit', rest).off('exit', tell)
  }
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    // Measured: 40 ms of a process or thread that loads JavaScript only.
    const { createJiti } = await import('jiti')
    const jiti = createJiti(pathToFileURL(file).href, { nativeModules: ['troupe'], interopDefault: false })
    return await jiti.import<Record<string, unknown>>(file)
  } catch (cause) {
    throw notLoaded(file, cause)
  }
}

/** The same for a URL, which may have a query; JavaScript is loaded as Node does. Throws `file_not_loaded`. */
export async function loadUrl(url: string): Promise<Record<string, unknown>> {
  const file = fileURLToPath(url)
  if (!isJavaScript.test(file)) return load(file)
  try {
    return (await import(url)) as Record<string, unknown>
  } catch (cause) {
    throw notLoaded(file, cause)
  }
}

const isJavaScript = /\.[cm]?js$/

function notLoaded(file: string, cause: unknown): TroupeError {
  // Node adds a list of requiring files below the first line; the cause still has it.
  const why = (toError(cause).message.split('\n')[0] ?? '').trim()
  const remedy = why.includes("'troupe'") ? '. Run `npm install troupe` in this project' : ''
  const text = `${relative('.', file)} could not be loaded: ${why}${placeOf(cause)}${remedy}`
  return new TroupeError('file_not_loaded', text, { cause, details: { file } })
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
