// Runs in a process of its own: the given blocks one after the other, each in an empty folder, and tells what went wrong.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { differences } from './says.ts'

const mostMs = 10_000
const [root = '.', ...indexes] = process.argv.slice(2)

export interface BlockResult {
  readonly index: number
  readonly problems: readonly string[]
}

console.log = () => undefined
let fail: (error: unknown) => void = () => undefined
process.on('uncaughtException', (error) => fail(error))

for (const index of indexes) await report(Number(index), await run(index))
process.exit(0)

async function run(index: string): Promise<string[]> {
  const folder = join(root, 'cwd', index)
  mkdirSync(folder, { recursive: true })
  process.chdir(folder)
  const failed = new Promise<never>((_, reject) => (fail = reject))
  const timer = setTimeout(() => fail(`it did not end within ${mostMs} ms`), mostMs)
  try {
    await Promise.race([import(join(root, 'blocks', `block-${index}.js`)), failed])
    return differences()
  } catch (error) {
    return [...differences(), `threw ${error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)}`]
  } finally {
    clearTimeout(timer)
  }
}

function report(index: number, problems: readonly string[]): Promise<void> {
  const result: BlockResult = { index, problems }
  return new Promise((resolve) => process.send?.(result, () => resolve()))
}
