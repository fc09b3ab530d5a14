// Templates of a folder: all of them, and all that is wrong with any at once.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadTemplate, template, TemplateError, worker } from '../../src/index.ts'
import { onStage, rejection } from '../engine/stage.ts'

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-templates-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)
const uses = (name: string, handler: string): string =>
  `name: ${name}\nsteps:\n  - name: only\n    uses: ${handler}\n    with: ${name}\noutput: \${{ steps.only }}\n`

describe('a folder of templates', () => {
  it('is registered, in YAML and JSON, three levels deep', async () => {
    const templates = folderOf({
      'one.yaml': uses('one', 'echo'),
      'two.yml': uses('two', 'echo'),
      'a/b/three.json': JSON.stringify({ name: 'three', namespace: 'shop', steps: [{ name: 'only', uses: 'echo' }] }),
      'a/b/c/four.yaml': 'deeper',
      '_five.yaml': 'left out',
      'index.yaml': 'left out',
      'six.test.yaml': 'left out',
      'seven.txt': 'no template',
    })
    const { troupe } = await onStage({ definitions: [echo], templates })
    expect(troupe.definitions()).toEqual(['echo', 'one', 'shop/three', 'two'])
    expect(await troupe.run('two')).toBe('two')
  })

  it('may use templates of the folder, and gives them what they take', async () => {
    const inner = `name: inner\ninput: { type: object, required: [id] }\nsteps:\n  - { name: only, uses: echo }\n`
    const outer = (given: string): string =>
      `name: outer\nsteps:\n  - name: inner\n    uses: inner\n    with: ${given}\n`
    const good = await onStage({
      definitions: [echo],
      templates: folderOf({ 'z.yaml': inner, 'a.yaml': outer('{ id: 7 }') }),
    })
    expect(good.troupe.definitions()).toEqual(['echo', 'inner', 'outer'])
    const error = await rejection(
      onStage({ definitions: [echo], templates: folderOf({ 'z.yaml': inner, 'a.yaml': outer('{ it: 7 }') }) }),
    )
    expect(error.message).toContain("a.yaml:5:11: error: Worker 'inner' does not take this: 'id' is missing.")
  })

  it('C11: stops the start with everything that is wrong with any of its files, each with its place', async () => {
    const templates = folderOf({
      'circle.yaml':
        'name: circle\nsteps:\n  - { name: a, uses: echo, needs: [b] }\n  - { name: b, uses: echo, needs: [a] }\n',
      'good.yaml': uses('good', 'echo'),
      'handler.yaml': `${uses('handler', 'ecko')}failure: sometimes\n`,
    })
    const error = await rejection(onStage({ definitions: [echo], templates }))
    if (!(error instanceof TemplateError)) throw error
    expect(error.code).toBe('template_invalid')
    const found = error.problems.map(({ file, line, column, message }) => [
      relative(templates, file),
      line,
      column,
      message,
    ])
    expect(found).toEqual([
      ['circle.yaml', 3, 36, 'The steps stand in a circle: a → b → a. None of them could ever begin.'],
      [
        'handler.yaml',
        4,
        11,
        "Step 'only' uses 'ecko', which is no worker, workflow or template here. Did you mean 'echo'?",
      ],
      ['handler.yaml', 7, 10, '\'failure\' is "sometimes": expected one of fail_fast, finish_independent.'],
    ])
    expect(error.message).toMatch(/^2 templates do not load\.\n\nTemplate \S+circle\.yaml does not load/)
    expect(error.message).toContain('    4 |     uses: ecko\n      |           ^')
  })

  it('D8: refuses a step that needs what is no step, and has each edge once', async () => {
    const step = (needs: string): string =>
      `name: t\nsteps:\n  - { name: a, uses: echo, with: one }\n  - { name: b, uses: echo, needs: [${needs}], with: two }\n`
    const { troupe } = await onStage({ definitions: [echo], templates: folderOf({ 't.yaml': step('a, a') }) })
    expect(await troupe.run('t')).toEqual({ b: 'two' })
    const error = await rejection(onStage({ definitions: [echo], templates: folderOf({ 't.yaml': step('c') }) }))
    expect(error.message).toContain("Step 'b' needs 'c', which is no step")
  })

  it('refuses two texts of one name and version, and not one text twice', async () => {
    const same = uses('twice', 'echo')
    const { troupe } = await onStage({
      definitions: [echo, template(loadTemplate(same).template)],
      templates: folderOf({ 'a.yaml': same, 'b.yaml': same }),
    })
    expect(troupe.definitions()).toEqual(['echo', 'twice'])
    const other = folderOf({ 'a.yaml': same, 'b.yaml': `${same}description: another\n` })
    const error = await rejection(onStage({ definitions: [echo], templates: other }))
    expect(error.message).toContain("Template 'twice' in version 1 stands in")
    const sideBySide = folderOf({ 'a.yaml': same, 'b.yaml': `${same}version: 2.0.0\n` })
    await onStage({ definitions: [echo], templates: sideBySide })
  })

  it('is refused with templates of which each run would start another, by the way to it; one that may end is not', async () => {
    const ring = {
      'a.yaml': uses('a', 'b'),
      'b.yaml': uses('b', 'c'),
      'c.yaml': uses('c', 'a'),
      'd.yaml': uses('d', 'a'),
    }
    const error = await rejection(onStage({ definitions: [echo], templates: folderOf(ring) }))
    if (!(error instanceof TemplateError)) throw error
    expect(error.problems.map(({ file, line, column, message }) => [file.at(-6), line, column, message])).toEqual(
      ['a → b → c → a', 'b → c → a → b', 'c → a → b → c'].map((way) => [
        way[0],
        4,
        11,
        `Each run would start another of its template, without end: ${way}. Give a step on this way an 'if'.`,
      ]),
    )
    const ending = { ...ring, 'b.yaml': uses('b', 'c\n    if: input != 0') }
    await onStage({ definitions: [echo], templates: folderOf(ending) })
  })

  it('says what is wrong with the folder itself', async () => {
    const missing = join(folderOf({}), 'none')
    expect((await rejection(onStage({ templates: missing }))).message).toBe(
      `The folder of templates ${missing} is not there: make it, or name another in { templates }.`,
    )
    expect((await rejection(onStage({ templates: 7 as never }))).message).toBe(
      'templates is 7: expected the path of a folder.',
    )
  })

  it('warns of what has no effect', async () => {
    const text = `name: t\nsteps:\n  - { name: a, uses: echo, config: { b: '\${{ input }}' } }\n`
    const { log } = await onStage({ definitions: [echo], templates: folderOf({ 't.yaml': text }) })
    const told = log.lines.filter(({ level, message }) => level === 'warn' && message.includes('t.yaml:3:'))
    expect(told.map(({ message }) => message.includes("Put it into 'with'"))).toEqual([true])
  })

  it('holds what its environment says', async () => {
    const text = `${uses('t', 'echo')}environments:\n  test:\n    steps:\n      - { name: only, with: tested }\n`
    const { troupe } = await onStage({
      definitions: [echo],
      templates: folderOf({ 't.yaml': text }),
      environment: 'test',
    })
    expect(await troupe.run('t')).toBe('tested')
  })
})
