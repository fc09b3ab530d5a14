// The places a stack trace tells of, as Node and its loaders write them.
import { isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A line of a file; both numbers count from 1. */
export interface StackPlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A frame of a stack: what was called, and in which file. */
export interface StackFrame {
  /** As the stack names it; empty for code outside of functions. */
  readonly called: string
  readonly file: string
}

const frame = /^\s*at (?:.*\()?(?:async )?((?:file:\/\/)?[^()]+?):(\d+):(\d+)\)?$/
const calledPart = /^\s*at (?:async )?(?:new )?(.+?) \(/

/** The frames of an error's stack, the innermost first; those without a place are left out. */
export function stackPlaces(error: unknown): StackPlace[] {
  const stack = error instanceof Error ? error.stack : undefined
  if (typeof stack !== 'string') return []
  return stack.split('\n').flatMap((text) => placeOf(text) ?? [])
}

// The compiled package, or its sources.
const ownFolder = fileURLToPath(new URL('..', import.meta.url))

/** The innermost place that is neither Node's, nor a package's, nor ours. */
export function projectPlace(error: unknown): StackPlace | undefined {
  return stackPlaces(error).find(({ file }) => isOfProject(file))
}

/** The innermost frame of such a place, in the text of a stack. */
export function projectFrame(stack: string): StackFrame | undefined {
  for (const text of stack.split('\n')) {
    const place = placeOf(text)
    if (place !== undefined && isOfProject(place.file))
      return { called: calledPart.exec(text)?.[1] ?? '', file: place.file }
  }
  return undefined
}

function isOfProject(file: string): boolean {
  return isAbsolute(file) && !file.startsWith(ownFolder) && !file.includes(`${sep}node_modules${sep}`)
}

function placeOf(text: string): StackPlace | undefined {
  const [, url, line, column] = frame.exec(text) ?? []
  const file = url === undefined ? undefined : pathOf(url)
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}

function pathOf(url: string): string | undefined {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url
  } catch {
    return undefined
  }
}
