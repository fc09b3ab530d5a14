// What can be read in the files of a store without opening it.
import { existsSync, readFileSync } from 'node:fs'

/** Those of `texts` that stand in the files of a store, as they are or within base64. */
export function plainIn(path: string, texts: readonly string[]): string[] {
  const files = [path, `${path}-wal`, `${path}-journal`].filter((file) => existsSync(file))
  const bytes = files.map((file) => readFileSync(file, 'latin1')).join('\n')
  return texts.filter((text) => formsOf(text).some((form) => bytes.includes(form)))
}

/** A text as it is, and what is the same of its base64 whatever stands around it, for each of the three places it may begin at. */
function formsOf(text: string): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const bytes = Buffer.from(' '.repeat(before) + text)
    const whole = Math.floor((bytes.length * 8) / 6)
    return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), whole)
  })
  return [Buffer.from(text).toString('latin1'), ...base64]
}
