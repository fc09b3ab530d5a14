// The version of this package, from its own package.json.
import { readFileSync } from 'node:fs'

/** Throws where that file is not beside the code, as in a bundle. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
