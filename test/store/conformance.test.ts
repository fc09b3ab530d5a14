// The cases every store must pass, on SQLite in memory and in a file.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import type { Database } from '../../src/testing/conformance/scene.ts'

async function createInMemory(): Promise<Database> {
  let isOpen = false
  return {
    connect: async (clock) => {
      if (isOpen) return undefined
      isOpen = true
      return openSqlite({ path: ':memory:', synchronous: 'full', clock })
    },
    remove: async () => undefined,
  }
}

async function createInFile(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-store-'))
  return {
    connect: (clock) => openSqlite({ path: join(folder, 'troupe.db'), synchronous: 'normal', clock }),
    remove: () => rm(folder, { recursive: true }),
  }
}

conformance({ name: 'SQLite in memory', create: createInMemory }, { describe, it })
conformance({ name: 'SQLite in a file', create: createInFile }, { describe, it })
