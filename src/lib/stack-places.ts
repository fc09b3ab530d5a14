// The places a stack trace tells of, as Node and its loaders write them.
import { isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A line of a file; both numbers count from 1. */
export interface StackPlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

const frame = /^\s*at (?:.*\()?(?:async )?((?:file:\/\/)?[^()]+?):(\d+):(\d+)\)?$/

/** The frames of an error's stack, the innermost first; those without a place are left out. */
export function stackPlaces(error: unknown): StackPlace[] {
  const stack = error instanceof Error ? error.stack : undefined
  if (typeof stack !== 'string') return []
  return stack.split('\n').flatMap((text) => {
    const [, url, line, column] = frame.exec(text) ?? []
    const file = url === undefined ? undefined : pathOf(url)
    return file === undefined ? [] : [{ file, line: Number(line), column: Number(column) }]
  })
}

// The compiled package, or its sources.
const ownFolder = fileURLToPath(new URL('..', import.meta.url))

/** The innermost place that is neither Node's, nor a package's, nor ours. */
export function projectPlace(error: unknown): StackPlace | undefined {
  return stackPlaces(error).find(
    ({ file }) => isAbsolute(file) && !file.startsWith(ownFolder) && !file.includes(`${sep}node_modules${sep}`),
  )
}

function pathOf(url: string): string | undefined {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url
  } catch {
    return undefined
  }
}
