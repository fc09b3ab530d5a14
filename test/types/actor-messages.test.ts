// What the compiler says to people who get an actor's messages wrong, and what many actors cost it.
import { resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const fileOf = (index: number): string => resolve(`test/types/shown-${index}.ts`)

/** One program of several modules that are nowhere on disk. */
function programOf(modules: readonly string[]): ts.Program {
  const texts = new Map(modules.map((text, index) => [fileOf(index), text]))
  const config: unknown = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd())
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version, true)
  }
  return ts.createProgram([...texts.keys()], { ...options, noUnusedLocals: false }, host)
}

function complaintsOf(program: ts.Program, index: number): string[] {
  const found = program.getSemanticDiagnostics(program.getSourceFile(fileOf(index)))
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

const head = `
import { Actor, ActorSystem, Message, stub, type Handler, type Recipient } from 'troupe/actor'
export class Known extends Message('Known')<{ id: number }, string>() {}
export class Unheard extends Message('Unheard')<{ id: number }, string>() {}
export class Counter extends Actor implements Handler<typeof Known> {
  add(by: number) { return by }
  get() { return 1 }
  private hidden(): number { return 1 }
  Known(message: Known) { return String(message.id) }
}
export const [ref] = new ActorSystem().spawn(() => new Counter())
`

describe('the compiler', () => {
  const names = '"Known" | "add" | "get" | Tagged<string, unknown>'
  const cases = [
    [
      'a message it does not know',
      "ref.tell('nothing')",
      `Argument of type '"nothing"' is not assignable to parameter of type '${names}'.`,
    ],
    [
      'a wrong payload',
      "ref.tell('add', 'x')",
      "Argument of type 'string' is not assignable to parameter of type 'number'.",
    ],
    ['a missing payload', "ref.tell('add')", 'Expected 2-3 arguments, but got 1.'],
    [
      'a hook from outside',
      "ref.tell('started')",
      `Argument of type '"started"' is not assignable to parameter of type '${names}'.`,
    ],
    [
      'a private method',
      "ref.tell('hidden')",
      `Argument of type '"hidden"' is not assignable to parameter of type '${names}'.`,
    ],
    [
      'a message class without handler',
      'ref.tell(new Unheard({ id: 1 }))',
      "'the actor has no public method for this message'' is missing in type 'Unheard' but required in type 'Unhandled<\"Unheard\">'",
    ],
    [
      'the same for an ask',
      'await ref.ask(new Unheard({ id: 1 }))',
      "'the actor has no public method for this message'' is missing in type 'Unheard'",
    ],
    [
      'a wrong reply',
      "const reply: string = await ref.ask('add', 1); reply.trim()",
      "Type 'number' is not assignable to type 'string'.",
    ],
    [
      'a wrong reply to a message',
      'const reply: number = await ref.ask(new Known({ id: 1 })); reply.toFixed()',
      "Type 'string' is not assignable to type 'number'.",
    ],
    [
      'a wrong reply of a stub',
      'const reply: string = await stub(ref).get(); reply.trim()',
      "Type 'number' is not assignable to type 'string'.",
    ],
    [
      'a handler that is missing',
      'export class Missing extends Actor implements Handler<typeof Known> {}',
      "Property 'Known' is missing in type 'Actor'",
    ],
    [
      'a handler with the wrong reply',
      'export class Wrong extends Actor implements Handler<typeof Known> { Known() { return 1 } }',
      "Type 'number' is not assignable to type 'string | Promise<string>'.",
    ],
    [
      'a recipient that does not handle it',
      'export const narrow: Recipient<Unheard> = ref',
      "Property 'Unheard' is missing in type 'Counter' but required in type 'Handles<Unheard>'.",
    ],
  ] as const
  const program = programOf(cases.map(([, line]) => `${head}\n${line}\n`))

  it.each(cases.map(([what, , words], index) => [what, words, index] as const))(
    'refuses %s in words that name it',
    (_what, words, index) => {
      const [complaint, ...others] = complaintsOf(program, index)
      expect(others).toEqual([])
      expect(complaint).toContain(words)
      expect(complaint?.split('\n').length).toBeLessThanOrEqual(5)
    },
  )
})

function manyActors(count: number): string {
  const kinds = [0, 1, 2, 3, 4]
  const reply = (kind: number) => (kind % 2 === 0 ? 'number' : 'string')
  const messages = (actor: number) =>
    kinds.map(
      (kind) =>
        `export class M${actor}x${kind} extends Message('M${actor}x${kind}')<{ id: number; text${kind}: string }, ${reply(kind)}>() {}`,
    )
  const methods = (actor: number) =>
    kinds.flatMap((kind) => [
      `M${actor}x${kind}(message: M${actor}x${kind}) { return message.${kind % 2 === 0 ? 'id' : `text${kind}`} }`,
      `async method${kind}(by: { n: number; s${kind}: string }) { return (this.#n += by.n) }`,
    ])
  const uses = (actor: number) =>
    kinds.flatMap((kind) => [
      `ref.tell('method${kind}', { n: 1, s${kind}: 'x' })`,
      `const a${kind}: number = await ref.ask('method${kind}', { n: 1, s${kind}: 'x' })`,
      `ref.tell(new M${actor}x${kind}({ id: a${kind}, text${kind}: 'x' }))`,
      `const b${kind}: ${reply(kind)} = await ref.ask(new M${actor}x${kind}({ id: 1, text${kind}: 'x' }))`,
      `console.log(b${kind})`,
    ])
  const actors = Array.from({ length: count }, (_, actor) => [
    ...messages(actor),
    `export class A${actor} extends Actor implements ${kinds.map((kind) => `Handler<typeof M${actor}x${kind}>`).join(', ')} {`,
    '#n = 0',
    ...methods(actor),
    `}\nexport async function use${actor}() {\nconst [ref] = system.spawn(() => new A${actor}())`,
    ...uses(actor),
    '}',
  ])
  const imports = "import { Actor, ActorSystem, Message, type Handler } from 'troupe/actor'"
  return [imports, 'const system = new ActorSystem()', ...actors.flat()].join('\n')
}

describe('sixty actors of ten messages', () => {
  it('compile, with each message told and asked once, at a cost that does not run away', () => {
    const few = programOf([manyActors(6)])
    const many = programOf([manyActors(60)])
    expect(complaintsOf(few, 0)).toEqual([])
    expect(complaintsOf(many, 0)).toEqual([])
    expect(many.getInstantiationCount()).toBeLessThan(330_000)
    expect(many.getInstantiationCount() / few.getInstantiationCount()).toBeLessThan(11)
  })
})
