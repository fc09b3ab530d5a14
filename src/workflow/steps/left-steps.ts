// Steps that were still executing when the code of their workflow returned.
import type { Log } from '../../lib/log.ts'

// More than a person reads.
const mostNamed = 5

export function tellOfLeft(log: Log, runId: string, paths: readonly string[]): void {
  log.warn({ run: runId, steps: paths.slice(0, mostNamed) }, leftText(paths))
}

function leftText(paths: readonly string[]): string {
  const named = paths.slice(0, mostNamed).map((path) => `'${path}'`)
  const more = paths.length - named.length
  const list = more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`
  return paths.length === 1
    ? `Step ${list} was still under way when the workflow returned: await it.`
    : `Steps ${list} were still under way when the workflow returned: await them.`
}
