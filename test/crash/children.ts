// Builds the library for the processes of the crash tests, and starts, kills and hears them.
import { fork, type ChildProcess, type Serializable, type StdioOptions } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import type { Entry } from './ledger.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const imports = /from ["'](\.[^"']+\.js)["']/g

/** Compiles a child and all it imports into a folder that is removed when the test ends, and returns that folder. */
export function buildChild(child = 'child.ts'): string {
  const cache = join(repository, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'troupe-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const seen = new Set<string>()
  const waiting = [sourceOf(child), ...leaseThreads]
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (seen.has(source)) continue
    seen.add(source)
    waiting.push(...compile(source, folder))
  }
  return folder
}

/** A process of the crash tests. */
export class Child {
  readonly pid: number
  /** How it ended: a signal, or what it wrote to its error output. */
  readonly ended: Promise<{ readonly signal: string | null; readonly code: number | null; readonly errors: string }>
  /** What it said so far. */
  readonly heard: Entry[] = []
  isReady = false
  readonly #process: ChildProcess
  readonly #listeners = new Set<() => void>()

  /** `within` is a command that starts it in other surroundings. */
  constructor(build: string, order: object, child = 'child.ts', within: readonly string[] = []) {
    const file = join(build, relative(repository, sourceOf(child))).replace(/\.ts$/, '.js')
    const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'ipc']
    const [execPath = process.execPath, ...rest] = within
    const execArgv = within.length === 0 ? [] : [...rest, process.execPath]
    this.#process = fork(file, [JSON.stringify(order)], { stdio, execPath, execArgv })
    this.pid = this.#process.pid ?? 0
    let errors = ''
    this.#process.stderr?.on('data', (text: Buffer) => (errors += text.toString()))
    this.#process.on('message', (message) => this.#hear(message))
    this.ended = new Promise((settle) => {
      this.#process.once('close', (code, signal) => settle({ signal, code, errors }))
    })
    onTestFinished(() => void this.signal('SIGKILL'))
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.#process.kill(signal)
  }

  /** Asks it to stop as a good engine does. */
  stop(): void {
    this.#process.send('stop')
  }

  /** Waits until `see` finds what it looks for in what the child said; undefined when the time is up or the child has ended. */
  async hears<T>(see: () => T | undefined | false, withinMs: number): Promise<T | undefined> {
    return until(see, { withinMs, listeners: this.#listeners, ended: this.ended })
  }

  #hear(message: Serializable): void {
    if (message === 'ready') this.isReady = true
    else this.heard.push(message as Entry)
    for (const listener of this.#listeners) listener()
  }
}

/** True when every child has said that it serves. */
export async function areReady(children: readonly Child[], withinMs: number): Promise<boolean> {
  const ready = await Promise.all(children.map((child) => child.hears(() => child.isReady, withinMs)))
  return ready.every((isReady) => isReady === true)
}

// Started by its URL.
const leaseThreads = ['sqlite', 'postgres'].map((store) => join(repository, 'src', 'store', store, 'lease-thread.ts'))

function sourceOf(child: string): string {
  return join(repository, 'test', 'crash', child)
}

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/** Compiles one file, and returns what it imports from this repository. */
function compile(source: string, folder: string): string[] {
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions, fileName: source })
  const target = join(folder, relative(repository, source)).replace(/\.ts$/, '.js')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, outputText)
  const imported = Array.from(outputText.matchAll(imports), ([, path = '']) =>
    resolve(dirname(source), path.replace(/\.js$/, '.ts')),
  )
  return imported.filter((path) => existsSync(path))
}

interface Waiting {
  readonly withinMs: number
  readonly listeners: Set<() => void>
  readonly ended: Promise<unknown>
}

function until<T>(see: () => T | undefined | false, { withinMs, listeners, ended }: Waiting): Promise<T | undefined> {
  return new Promise((settle) => {
    const finish = (seen: T | undefined): void => {
      timer.cancel()
      listeners.delete(look)
      settle(seen)
    }
    const look = (): void => {
      const seen = see()
      if (seen !== undefined && seen !== false) finish(seen)
    }
    const timer = systemClock.after(withinMs, () => finish(undefined))
    listeners.add(look)
    void ended.then(() => finish(undefined))
    look()
  })
}
