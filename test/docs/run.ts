// Starts the process that runs the compiled blocks, and gathers what it says.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { BlockResult } from './runner.ts'

/** What went wrong in each of the blocks that `compile` wrote to `folder`, by index. */
export async function run(folder: string, indexes: readonly number[]): Promise<Map<number, readonly string[]>> {
  const problems = new Map(
    indexes.map((index): [number, readonly string[]] => [index, ['its process ended before it did']]),
  )
  const runner = join(folder, 'test/docs/runner.js')
  const child = fork(runner, [folder, ...indexes.map(String)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('message', (result: BlockResult) => void problems.set(result.index, result.problems))
  await once(child, 'close')
  return problems
}
