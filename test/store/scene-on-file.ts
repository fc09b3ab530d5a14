// A scene of the conformance suite on a store file, and another program that has the file open beside it; gone when the test ends.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { Scene } from '../../src/testing/conformance/scene.ts'

export interface SceneOnFile {
  readonly scene: Scene
  readonly beside: SqlDriver
  /** For more files; it goes too. */
  readonly folder: string
}

export async function sceneOnFile(): Promise<SceneOnFile> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-scene-'))
  const path = join(folder, 'troupe.db')
  const scene = await Scene.open({
    connect: (clock) => openSqlite({ path, synchronous: 'normal', clock }),
    remove: async () => undefined,
  })
  const beside = await openDriver(path)
  onTestFinished(async () => {
    beside.close()
    await scene.close()
    await rm(folder, { recursive: true })
  })
  return { scene, beside, folder }
}
