// A process without the rights of root: opens each store it is given, writes to it, and prints what came of it.
import { systemClock } from '../../src/lib/clock.ts'
import type { TroupeError } from '../../src/lib/errors.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { givenToChild } from './children.ts'

const { paths, uid } = givenToChild<{ paths: readonly string[]; uid: number | null }>()
if (uid !== null) process.setuid?.(uid)

async function codeAndMessage(path: string): Promise<unknown> {
  try {
    const store = await openSqlite({ path, synchronous: 'full', clock: systemClock })
    await store.internQueue('written')
    await store.close()
    return { code: 'none', message: '' }
  } catch (error) {
    const { code, message } = error as TroupeError
    return { code, message }
  }
}

const answers: unknown[] = []
for (const path of paths) answers.push(await codeAndMessage(path))
console.log(JSON.stringify(answers))
