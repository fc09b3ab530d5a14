// Templates in the store: whoever has the handlers goes on with runs of any text, names are refreshed, and what nobody registered is posted.
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkDeploy, limiter, loadTemplate, template, TemplateError, worker } from '../../src/index.ts'
import { eventually, intruder, moving, onStage, rejection, storeFile, type Stage } from '../engine/stage.ts'

const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)

/** Waits for a message, then says a word. */
const text = (word: string, more = ''): string => `name: greet
version: 1.0.0
${more}
steps:
  - name: go
    wait: { message: go }
  - { name: say, needs: [go], uses: echo, with: ${word} }
output: \${{ steps.say }}
`
const greeting = (word: string, more?: string) => template(loadTemplate(text(word, more)).template)

async function parked({ troupe }: Stage, target: Parameters<Stage['troupe']['call']>[0] | string = 'greet') {
  const run = await troupe.call(target as string)
  await eventually(async () => (await run.status()).state === 'parked')
  return run
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-templates-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

describe('a template in the store', () => {
  it('lets runs of an older text go on although only the newer one is registered, also after a restart', async () => {
    const store = storeFile()
    const first = await onStage({ definitions: [echo, greeting('hello')], store, node: 'first' })
    const old = await parked(first)
    await first.stop()
    const verdicts: string[] = []
    for await (const run of checkDeploy({ store, definitions: [echo, greeting('goodbye')] })) verdicts.push(run.verdict)
    expect(verdicts).toEqual(['continues'])
    const second = await onStage({ definitions: [echo, greeting('goodbye')], store, node: 'second' })
    const young = await parked(second)
    for (const run of [old, young]) await second.troupe.tell(run.id, 'go')
    expect(await (await second.troupe.handle(old.id)).result()).toBe('hello')
    expect(await young.result()).toBe('goodbye')
    expect((await second.troupe.status()).templates).toMatchObject({ atHand: 1, steps: 2, misses: 1, evictions: 0 })
  })

  it('is performed by a node that has its handlers and registered no template', async () => {
    const store = storeFile()
    const first = await onStage({ definitions: [echo, greeting('hello')], store, node: 'first' })
    const run = await parked(first)
    await first.stop()
    const second = await onStage({ definitions: [echo], store, node: 'second' })
    await second.troupe.tell(run.id, 'go')
    expect(await (await second.troupe.handle(run.id)).result()).toBe('hello')
  })

  it('is left alone by a node without its handlers, until they are there', async () => {
    const store = storeFile()
    const first = await onStage({ definitions: [echo, greeting('hello')], store, node: 'first' })
    const run = await parked(first)
    await first.stop()
    const { troupe, clock } = await onStage({ store, node: 'second' })
    await troupe.tell(run.id, 'go')
    await clock.advance(2_000)
    expect((await troupe.get(run.id))?.state).toBe('ready')
    await troupe.register(echo)
    expect(await (await troupe.handle(run.id)).result()).toBe('hello')
  })

  it('goes on under the limiters as the newest text declares them', async () => {
    const store = storeFile()
    const withLimit = (word: string, most: number) =>
      template(
        loadTemplate(
          text(word, `limits: { till: { concurrency: ${most} } }`).replace('uses: echo,', 'uses: echo, limit: till,'),
        ).template,
      )
    const first = await onStage({ definitions: [echo, withLimit('hello', 5)], store, node: 'first' })
    const old = await parked(first)
    await first.stop()
    const second = await onStage({ definitions: [echo, withLimit('goodbye', 2)], store, node: 'second' })
    const young = await parked(second)
    for (const run of [old, young]) await second.troupe.tell(run.id, 'go')
    expect(await (await second.troupe.handle(old.id)).result()).toBe('hello')
    expect(await young.result()).toBe('goodbye')
    expect((await second.troupe.limiters())[0]?.bounds).toMatchObject({ concurrency: 2 })
    const another = await parked(second)
    await second.stop()
    const third = await onStage({ definitions: [echo], store, node: 'third' })
    await third.troupe.tell(another.id, 'go')
    expect(await (await third.troupe.handle(another.id)).result()).toBe('goodbye')
    expect((await third.troupe.limiters())[0]?.bounds).toMatchObject({ concurrency: 2 })
  })

  it('is stale as it says, also where nobody registered it', async () => {
    const store = storeFile()
    const more = 'lifecycle: { maxDuration: 5m, stalenessAction: error }'
    const first = await onStage({ definitions: [echo, greeting('hello', more)], store, node: 'first' })
    const run = await parked(first)
    await first.stop()
    const { troupe, clock } = await onStage({ definitions: [echo], store, node: 'second' })
    await clock.advance(10 * 60_000)
    await eventually(async () => (await troupe.get(run.id))?.state === 'failed')
    expect((await troupe.get(run.id))?.error).toMatchObject({ code: 'stale' })
  })

  it('holds nobody up that has a resolver which fails at what it needs', async () => {
    const store = storeFile()
    const strange = worker('strange', {}, () => 'strange')
    const first = await onStage({
      definitions: [strange, template(loadTemplate(text('hello').replace('echo', 'strange')).template)],
      store,
      node: 'first',
    })
    await first.stop()
    const handlers = (name: string): undefined => {
      if (name === 'strange') throw new Error('what is this?')
    }
    const second = await onStage({ definitions: [echo], store, node: 'second', handlers })
    expect(await second.troupe.run('echo', 'hello')).toBe('hello')
  })

  it('that cannot be read here leaves its runs to a node that can', async () => {
    const store = storeFile()
    const first = await onStage({ definitions: [echo, greeting('hello')], store, node: 'first' })
    const run = await parked(first)
    await first.stop()
    const other = await intruder(store)
    // As a newer library would have written it.
    other.exec("update template set form = json_set(form, '$.steps[1].newer', 1)")
    const second = await onStage({ definitions: [echo], store, node: 'second' })
    await second.troupe.tell(run.id, 'go')
    const told = await eventually(async () => {
      const status = await second.troupe.get(run.id)
      return status?.reason?.kind === 'diverged' ? status : undefined
    })
    expect(told.state).toBe('parked')
    expect(second.log.lines.map(({ message }) => message).join('\n')).toContain('cannot be read here')
    await second.stop()
    other.exec("update template set form = json_remove(form, '$.steps[1].newer')")
    const third = await onStage({ definitions: [echo], store, node: 'third' })
    expect(await (await third.troupe.handle(run.id)).result()).toBe('hello')
  })

  it.each(['form', 'needs'])(
    'that is damaged in the store is listed with what to do, holds up no other, and is stored anew: %s',
    async (column) => {
      const store = storeFile()
      const named = template(loadTemplate(text('other').replace('greet', 'other')).template)
      const first = await onStage({ definitions: [echo, greeting('hello'), named], store, node: 'first' })
      const run = await parked(first)
      await first.stop()
      const spoiler = await intruder(store)
      spoiler.exec(`update template set ${column} = '{' where name = 'greet'`)
      const second = await onStage({ definitions: [echo], store, node: 'second' })
      const listed = await second.troupe.templates()
      expect(listed.map(({ name, steps }) => [name, steps])).toEqual([
        ['greet', null],
        ['other', 2],
      ])
      expect(listed[0]?.problem).toContain(`the store ${store.slice('sqlite:'.length)} keeps of template 'greet'`)
      expect(listed[1]?.problem).toBe(null)
      expect((await parked(second, 'other')).id).toEqual(expect.any(String))
      await second.stop()
      const third = await onStage({ definitions: [echo, greeting('hello')], store, node: 'third' })
      expect((await third.troupe.templates()).map(({ steps, problem }) => [steps, problem])).toEqual([
        [2, null],
        [2, null],
      ])
      await third.stop()
      const fourth = await onStage({ definitions: [echo], store, node: 'fourth' })
      await fourth.troupe.tell(run.id, 'go')
      expect(await (await fourth.troupe.handle(run.id)).result()).toBe('hello')
    },
  )

  it('is not registered when nobody has its handlers, however often that is tried, until they are there', async () => {
    const { troupe } = await onStage()
    const greet = greeting('hello')
    for (const _again of [1, 2]) {
      expect(await rejection(troupe.register(greet))).toMatchObject({ code: 'template_invalid' })
      expect([troupe.definitions(), await troupe.templates()]).toEqual([[], []])
    }
    await troupe.register(echo)
    await troupe.register(greet)
    expect(troupe.definitions()).toEqual(['echo', 'greet'])
  })

  it('may use itself', async () => {
    const down = `name: down
steps:
  - { name: next, uses: down, if: input > 0, with: '\${{ input - 1 }}' }
  - { name: depth, needs: [next], when: all_settled, uses: echo, with: '\${{ (steps.next ?? 0) + 1 }}' }
output: \${{ steps.depth }}
`
    const { troupe } = await onStage({ definitions: [echo] })
    await troupe.register(template(loadTemplate(down).template))
    expect(await troupe.run('down', 3)).toBe(4)
  })

  it('is refused where others that are registered lead back to it in each run, by the way', async () => {
    const using = (name: string, other: string) => `name: ${name}\nsteps: [{ name: only, uses: ${other} }]\n`
    const [a, b] = [using('a', 'b'), using('b', 'a')].map((each) => template(loadTemplate(each).template))
    if (a === undefined || b === undefined) throw new Error('There are two')
    const message = expect.stringContaining('without end: a → b → a.') as string
    expect(await rejection(onStage({ definitions: [a, b] }))).toMatchObject({ code: 'template_invalid', message })
    const { troupe } = await onStage({ definitions: [echo, template(loadTemplate(using('b', 'echo')).template), a] })
    const back = template(loadTemplate(`version: '2'\n${using('b', 'a')}`).template)
    expect(await rejection(troupe.register(back))).toMatchObject({
      code: 'template_invalid',
      message: expect.stringContaining('without end: b → a → b.') as string,
    })
    expect(await troupe.run('a', 7)).toMatchObject({ only: { only: expect.anything() as unknown } })
  })

  it('says of a run which text it is of', async () => {
    const stage = await onStage({ definitions: [echo, greeting('hello')] })
    const run = await parked(stage)
    const [kept] = await stage.troupe.templates()
    expect(kept).toMatchObject({
      name: 'greet',
      namespace: 'default',
      version: '1.0.0',
      steps: 2,
      runs: 1,
      isNamed: true,
    })
    expect((await run.status()).version).toBe(`1.0.0+${kept?.hash.slice(0, 12)}`)
  })

  it('is checked where its name alone is known: its input and its identity too', async () => {
    const store = storeFile()
    const more = 'identity: strict\ninput: { type: object, required: [id] }\n'
    const first = await onStage({ definitions: [echo, greeting('hello', more)], store, node: 'first' })
    const { troupe } = await onStage({ store, starts: false, node: 'client', clock: first.clock })
    expect(await rejection(troupe.call('greet', {}))).toMatchObject({ code: 'validation_failed' })
    const run = await troupe.call('greet', { id: 1 })
    // C20, C28: a duplicate is known by its key, and answers with the id of the run that is there.
    expect((await troupe.call('greet', { id: 1 })).id).toBe(run.id)
    expect((await troupe.call('greet', { id: 2 })).id).not.toBe(run.id)
    const conflict = await rejection(troupe.call('greet', { id: 1 }, { onConflict: 'reject' }))
    expect(conflict).toMatchObject({ code: 'idempotency_conflict', details: { runId: run.id } })
  })
})

describe('troupe.refreshTemplates', () => {
  it('makes a changed file what its name starts, and tells what has changed; runs stay with their text', async () => {
    const templates = folderOf({ 'greet.yaml': text('hello') })
    const stage = await onStage({ definitions: [echo], templates })
    const { troupe } = stage
    const old = await parked(stage)
    writeFileSync(join(templates, 'greet.yaml'), text('goodbye'))
    writeFileSync(join(templates, 'more.yaml'), text('more').replace('greet', 'more'))
    writeFileSync(join(templates, 'bad.yaml'), text('bad').replace('needs: [go]', 'needs: [gone]'))
    const refreshed = await troupe.refreshTemplates()
    expect(refreshed).toMatchObject({
      added: [{ name: 'more', version: '1.0.0' }],
      changed: [{ name: 'greet', version: '1.0.0' }],
      unchanged: [],
      failed: [{ problems: [{ line: 7, column: 26, severity: 'error' }] }],
    })
    expect(refreshed.failed[0]?.file).toMatch(/bad\.yaml$/)
    const young = await parked(stage)
    for (const run of [old, young]) await run.tell('go')
    expect([await old.result(), await young.result()]).toEqual(['hello', 'goodbye'])
    // Back to what it was.
    unlinkSync(join(templates, 'bad.yaml'))
    writeFileSync(join(templates, 'greet.yaml'), text('hello'))
    const back = await troupe.refreshTemplates()
    expect([back.changed.map(({ name }) => name), back.unchanged.map(({ name }) => name)]).toEqual([
      ['greet'],
      ['more'],
    ])
    const again = await parked(stage)
    await again.tell('go')
    expect(await again.result()).toBe('hello')
    expect((await troupe.refreshTemplates()).unchanged.map(({ name }) => name)).toEqual(['greet', 'more'])
  })

  it('adds templates that use each other, and tells of those that use what does not load', async () => {
    const only = (name: string, uses: string): string => `name: ${name}\nsteps:\n  - { name: only, uses: ${uses} }\n`
    const templates = folderOf({ 'greet.yaml': text('hello') })
    const { troupe } = await onStage({ definitions: [echo], templates })
    const files = {
      a: 'b',
      b: 'c',
      c: 'echo',
      w: 'x',
      x: 'y',
      y: 'nobody',
      z: 'echo, limit: nobody',
      v: 'echo, publishes: [{ event: e, publisher: nobody }]',
    }
    for (const [name, uses] of Object.entries(files)) writeFileSync(join(templates, `${name}.yaml`), only(name, uses))
    writeFileSync(join(templates, 'greet.yaml'), text('goodbye'))
    const { added, changed, failed } = await troupe.refreshTemplates()
    expect([added, changed].map((titles) => titles.map(({ name }) => name))).toEqual([['a', 'b', 'c'], ['greet']])
    expect(failed.map(({ file }) => basename(file))).toEqual(['y.yaml', 'v.yaml', 'x.yaml', 'z.yaml', 'w.yaml'])
    expect(await troupe.run('a', 'hello')).toMatchObject({
      only: { only: { only: { input: expect.anything() as unknown } } },
    })
  })

  it('reads one namespace alone, when that is given', async () => {
    const inShop = (word: string): string => text(word, 'namespace: shop')
    const templates = folderOf({ 'a.yaml': text('one'), 'b.yaml': inShop('one') })
    const { troupe } = await onStage({ definitions: [echo], templates })
    writeFileSync(join(templates, 'a.yaml'), text('two'))
    writeFileSync(join(templates, 'b.yaml'), inShop('two'))
    expect((await troupe.refreshTemplates('shop')).changed.map(({ name }) => name)).toEqual(['shop/greet'])
    expect((await troupe.refreshTemplates()).changed.map(({ name }) => name)).toEqual(['greet'])
    expect(await rejection(troupe.refreshTemplates(7 as never))).toMatchObject({ code: 'option_invalid' })
  })

  it('is heard by all nodes: by those that have another text, and by clients that know the name alone', async () => {
    const store = storeFile()
    const templates = folderOf({ 'greet.yaml': text('hello') })
    const one = await onStage({ definitions: [echo], templates, store, node: 'one' })
    const { clock } = one
    const two = await onStage({ definitions: [echo, greeting('hello')], store, node: 'two', clock })
    const client = await onStage({ store, starts: false, node: 'client', clock })
    const wordOf = async ({ troupe }: Stage): Promise<unknown> => {
      const run = await troupe.call('greet')
      await run.tell('go')
      return moving(clock, run.result())
    }
    expect([await wordOf(one), await wordOf(two), await wordOf(client)]).toEqual(['hello', 'hello', 'hello'])
    writeFileSync(join(templates, 'greet.yaml'), text('goodbye'))
    await one.troupe.refreshTemplates()
    await clock.advance(1_000)
    expect([await wordOf(one), await wordOf(two), await wordOf(client)]).toEqual(['goodbye', 'goodbye', 'goodbye'])
    // What a process registers itself, after that, is what it starts.
    const three = await onStage({ definitions: [echo, greeting('hello')], store, node: 'three', clock })
    expect(await wordOf(three)).toBe('hello')
  })

  it('holds up none that comes after a text which a node cannot read: that one starts what it had', async () => {
    const store = storeFile()
    const both = (word: string) => ({ 'a.yaml': text(word), 'b.yaml': text(word).replace('greet', 'other') })
    const templates = folderOf(both('hello'))
    const one = await onStage({ definitions: [echo], templates, store, node: 'one' })
    const { clock } = one
    const own = Object.values(both('hello')).map((each) => template(loadTemplate(each).template))
    const two = await onStage({ definitions: [echo, ...own], store, node: 'two', clock })
    for (const [name, each] of Object.entries(both('goodbye'))) writeFileSync(join(templates, name), each)
    await one.troupe.refreshTemplates()
    const other = await intruder(store)
    // As a newer library would have written it.
    other.exec("update template set form = json_set(form, '$.steps[1].newer', 1) where name = 'greet' and named = seq")
    await clock.advance(100)
    const wordOf = async (name: string): Promise<unknown> => {
      const run = await two.troupe.call(name)
      await run.tell('go')
      return moving(clock, run.result())
    }
    expect([await wordOf('greet'), await wordOf('other')]).toEqual(['hello', 'goodbye'])
    expect(two.log.lines.map(({ message }) => message)).toContain(
      "template 'greet' was refreshed and cannot be read here",
    )
  })
})

describe('a template that nobody registered', () => {
  it('is posted with its run, and performed by whoever has its handlers', async () => {
    const store = storeFile()
    const node = await onStage({ definitions: [echo], store, node: 'node' })
    const { clock } = node
    const client = await onStage({ store, starts: false, node: 'client', clock })
    const run = await client.troupe.call(greeting('posted'))
    await run.tell('go')
    expect(await moving(clock, run.result())).toBe('posted')
    expect((await client.troupe.templates()).map(({ name, isNamed }) => [name, isNamed])).toEqual([['greet', false]])
    // The engine that posts it may perform it.
    const own = await node.troupe.call(greeting('own'))
    await own.tell('go')
    expect(await moving(clock, own.result())).toBe('own')
    expect((await node.troupe.callMany(greeting('many'), [1, 2])).length).toBe(2)
  })

  it('is no meaning of its name for others', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ definitions: [echo], store, node: 'node' })
    await troupe.call(greeting('posted'))
    expect(await rejection(troupe.call('greet'))).toMatchObject({ code: 'worker_not_registered' })
  })

  it('D4: is refused with all that is wrong when it uses what nobody has', async () => {
    const { troupe } = await onStage({ definitions: [echo] })
    const bad = loadTemplate(text('hello').replaceAll('uses: echo', 'uses: ecko, undo: unecko'), { file: 'greet.yaml' })
    const error = await rejection(troupe.call(template(bad.template)))
    if (!(error instanceof TemplateError)) throw error
    expect(error.problems).toMatchObject([
      { file: 'greet.yaml', line: 7, column: 37, message: expect.stringContaining("Did you mean 'echo'?") as string },
      { file: 'greet.yaml', line: 7, message: expect.stringContaining("uses 'unecko', which is no worker") as string },
    ])
    expect(await troupe.runs()).toEqual([])
    // So is one that is registered.
    expect(await rejection(troupe.register(template(bad.template)))).toMatchObject({ code: 'template_invalid' })
  })

  it('D4: is refused for its limiters as one that is registered: those that nobody has, and those that code declares otherwise', async () => {
    const till = limiter('till', { concurrency: 1 })
    const { troupe } = await onStage({ definitions: [worker('paying', { limits: [till] }, () => 1), echo] })
    const limited = (name: string, more: string) =>
      template(loadTemplate(text(name, more).replace('uses: echo,', 'uses: echo, limit: till,')).template)
    const otherwise = limited('otherwise', 'limits: { till: { concurrency: 2 } }')
    const unknown = template(loadTemplate(text('hello').replace('uses: echo,', 'uses: echo, limit: tilt,')).template)
    for (const start of [troupe.call(otherwise), troupe.register(otherwise)])
      expect(await rejection(start)).toMatchObject({
        code: 'definition_invalid',
        message: expect.stringContaining("Limiter 'till' is there with other bounds already") as string,
      })
    for (const start of [troupe.call(unknown), troupe.register(unknown)])
      expect(await rejection(start)).toMatchObject({
        code: 'definition_invalid',
        message: expect.stringContaining("Limiter 'tilt' is not known here") as string,
      })
    expect(await troupe.runs()).toEqual([])
    const run = await troupe.call(limited('hello', 'limits: { till: { concurrency: 1 } }'))
    await run.tell('go')
    expect(await run.result()).toBe('hello')
  })
})
