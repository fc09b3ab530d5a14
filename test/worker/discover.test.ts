// Finding definitions in a folder: what is loaded, what is left out and why, and what an error says of it.
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { discover } from '../../src/index.ts'
import { noUnhandledRejections, onStage, rejection } from '../engine/stage.ts'
import { exporting, workersFolder } from './folder.ts'

noUnhandledRejections()

describe('discover', () => {
  it('loads three levels of files, tells which, and why it left out the others', async () => {
    const folder = workersFolder({
      'a.ts': exporting('a'),
      'b.mjs': "export const install = (troupe) => troupe.register('b', () => 'b')",
      'in/in/c.ts': exporting('c'),
      'in/in/in/d.ts': exporting('d'),
      'index.ts': exporting('index'),
      '_e.ts': exporting('e'),
      'f.inc.ts': exporting('f'),
      'g.d.ts': 'export declare const g: number',
      'h.test.ts': exporting('h'),
      'i.spec.ts': exporting('i'),
      'j.ts': 'export const j = 1',
      'k.md': 'no source',
    })
    const { troupe } = await onStage()
    const { folder: searched, files, skipped } = await discover(folder, troupe)
    expect(searched).toBe(folder)
    expect(files.map((file) => relative(folder, file))).toEqual(['a.ts', 'b.mjs', 'in/in/c.ts'])
    expect(Object.fromEntries(skipped.map(({ file, why }) => [relative(folder, file), why]))).toEqual({
      '_e.ts': 'its name begins with _',
      'f.inc.ts': 'its name has .inc. in it',
      'g.d.ts': 'it holds declarations only',
      'h.test.ts': 'it is a test',
      'i.spec.ts': 'it is a test',
      'in/in/in': 'it lies deeper than 3 levels',
      'index.ts': 'it is an index',
      'j.ts': 'it exports no definition and no install',
    })
    expect(troupe.definitions()).toEqual(['a', 'b', 'c'])
    expect(await Promise.all(['a', 'b', 'c'].map((name) => troupe.run(name)))).toEqual(['a', 'b', 'c'])
  })

  it('says that it was given a file, and which folder that is in', async () => {
    const folder = workersFolder({ 'a.ts': exporting('a') })
    const { troupe } = await onStage()
    const error = await rejection(discover(join(folder, 'a.ts'), troupe))
    expect(error.code).toBe('file_not_loaded')
    expect(error.message).toBe(
      `The folder of workers ${join(folder, 'a.ts')} is a file: name the folder it is in, as in { workers: '${relative('.', folder)}' }.`,
    )
  })

  it('names the file of an option that is refused by install', async () => {
    const source = "export const install = (troupe) => troupe.register('a', { retries: 3 }, () => 1)\n"
    const { troupe } = await onStage()
    const error = await rejection(discover(workersFolder({ 'a.js': source }), troupe))
    expect(error.message).toMatch(/a\.js: Option 'retries' of 'a' is not known: it is retry: \{ attempts \} here/)
  })

  it('names the file of a definition that is there already', async () => {
    const folder = workersFolder({ 'a.ts': exporting('same'), 'in/b.ts': exporting('same') })
    const { troupe } = await onStage()
    const error = await rejection(discover(folder, troupe))
    expect(error.code).toBe('definition_exists')
    expect(error.message).toMatch(/in\/b\.ts: A definition named 'same' of version 1 is registered already/)
  })

  it('awaits what install does, in the order of the files', async () => {
    const late = (name: string) =>
      `export async function install(troupe) {\n  await new Promise((resolve) => setImmediate(resolve))\n  await troupe.register('${name}', () => troupe.definitions())\n}\n`
    const { troupe } = await onStage({ workers: workersFolder({ 'b.js': late('b'), 'a.js': late('a') }) })
    expect(await troupe.run('a')).toEqual(['a', 'b'])
  })

  it('goes to the engine of the process when none is named', async () => {
    const { troupe } = await onStage()
    expect((await discover(workersFolder({ 'a.ts': exporting('a') }))).files).toHaveLength(1)
    expect(troupe.definitions()).toEqual(['a'])
  })

  it('is refused while there is no engine of the process', async () => {
    await onStage({ global: false })
    expect(await rejection(discover('.'))).toMatchObject({ code: 'worker_manager_not_initialised' })
  })

  it('finds no second definition of a name, and says so', async () => {
    const folder = workersFolder({ 'a.ts': exporting('same'), 'b.ts': exporting('same') })
    await expect(onStage({ workers: folder })).rejects.toMatchObject({ code: 'definition_exists' })
  })
})

describe('a worker that is not registered', () => {
  it('is told with every folder searched, what was skipped there, and the nearest names', async () => {
    const one = workersFolder({ 'resize.ts': exporting('resize'), '_resise.ts': exporting('resise') })
    const two = workersFolder({ 'in/scan.ts': exporting('scan'), 'in/index.ts': '' })
    const { troupe } = await onStage({ workers: one })
    await troupe.discover(two)
    await troupe.discover(two)
    const { message } = await rejection(troupe.run('resise'))
    expect(message).toBe(
      `Worker 'resise' not registered. Did you mean 'resize'? Registered are: resize, scan. ` +
        `Looked in the folder ${relative('.', one)} and loaded 1 file; skipped _resise.ts (its name begins with _). ` +
        `Looked in the folder ${relative('.', two)} and loaded 1 file; skipped in/index.ts (it is an index). ` +
        'Export its definition from a file there, or pass it to Troupe.open({ definitions }). ' +
        'Or open an engine with it on this store once: from then on all that use the store know its name.',
    )
  })
})
