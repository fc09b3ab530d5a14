// The cases every store must pass, on a store whose values go through codecs.
import { describe, it } from 'vitest'
import { aesGcm, compress } from '../../src/index.ts'
import { codingOf } from '../../src/model/codecs/codecs.ts'
import { openStore } from '../../src/store/open.ts'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import type { Database } from '../../src/testing/conformance/scene.ts'

const coding = codingOf([compress({ above: 0 }), aesGcm({ keys: { a: 'ab'.repeat(32) }, current: 'a' })])

async function create(): Promise<Database> {
  let isOpen = false
  return {
    connect: async (clock) => {
      if (isOpen) return undefined
      isOpen = true
      return openStore('sqlite::memory:', { synchronous: 'full', clock, coding })
    },
    remove: async () => undefined,
  }
}

conformance({ name: 'SQLite with codecs', create }, { describe, it })
