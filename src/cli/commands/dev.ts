// `troupe dev`: `troupe start`, and again whenever the code changes.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { addCommand, type Shell } from '../command.ts'
import { loadSettings, queuesHelp, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io, Signal } from '../io.ts'
import { lineLog } from '../line-log.ts'
import { exitCodeFor } from '../signals.ts'

// Editors write a file in several steps, and several files at once.
const calmMs = 150
// Whoever develops wants the new code soon; what is cut short is begun anew.
const patience = '3s'
const isLeftOut = /^(\..*|node_modules|dist|build|coverage|out|tmp)$/
const isSource = /\.([cm]?[jt]s|json|ya?ml)$/

export function addDev(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'dev',
    summary: 'serve the queues, and reload on change',
    description:
      'Performs what is ready in the queues of the store, and starts anew whenever a source file of this folder changes. Runs go on with the new code; a file that cannot be loaded changes nothing.',
    help: queuesHelp,
    perform: (flags, _operands, io) => devCommand(flags, io),
  })
}

/** Each generation is a process of its own: nothing of the code before is left in it, and what ran is given back to the next. */
async function devCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  await loadSettings(flags, io.folder)
  const log = lineLog(flags, 'info', io)
  const generations = new Generations(
    argumentsOf(flags),
    (text) => io.stderr.write(text),
    (text) => log.info({}, text),
  )
  const watchers = watchSources(io.folder, io, (file) => generations.renew(file))
  generations.begin()
  return new Promise((resolve) => {
    let first: Signal | undefined
    const stopListening = io.onSignal((signal) => {
      if (first !== undefined) {
        generations.kill()
        return resolve(exitCodeFor(signal))
      }
      first = signal
      stopAll()
    })
    const stopAll = (): void => {
      for (const watcher of watchers) watcher.close()
      void generations.end().then(() => {
        stopListening()
        resolve(exitCodes.ok)
      })
    }
  })
}

/** One process after the other: the next begins when the one before has given back its runs. */
class Generations {
  readonly #args: readonly string[]
  readonly #write: (text: string) => void
  readonly #notice: (text: string) => void
  #child: ChildProcess | undefined
  #isChecking = false
  #isStale = false
  #isStopping = false
  #hasEnded = false

  constructor(args: readonly string[], write: (text: string) => void, notice: (text: string) => void) {
    this.#args = args
    this.#write = write
    this.#notice = notice
  }

  begin(): void {
    const child = this.#spawn(['start', '--within', patience], 'inherit')
    this.#child = child
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      this.#child = undefined
      // An end that is wanted is no news.
      if (!this.#hasEnded && !this.#isStopping) this.#notice(`ended ${how}: waiting for a change`)
    })
  }

  /** Starts anew, unless the new code cannot be loaded: then the old one goes on. */
  async renew(file: string): Promise<void> {
    this.#isStale = true
    if (this.#isChecking) return
    this.#isChecking = true
    while (this.#isStale && !this.#hasEnded) {
      this.#isStale = false
      this.#notice(`${file} changed`)
      if (await this.#loads()) {
        await this.#stop()
        if (!this.#hasEnded) this.begin()
      } else this.#notice(this.#child === undefined ? 'waiting for a change' : 'what runs goes on with the code before')
    }
    this.#isChecking = false
  }

  async end(): Promise<void> {
    this.#hasEnded = true
    await this.#stop()
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  async #loads(): Promise<boolean> {
    const child = this.#spawn(['definitions'], 'quiet')
    let told = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (told += text))
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    if (code !== 0) this.#write(told)
    return code === 0
  }

  async #stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#isStopping = true
    await new Promise<void>((resolve) => {
      child.on('exit', () => resolve())
      child.kill('SIGTERM')
    })
    this.#isStopping = false
  }

  #spawn(command: readonly string[], output: 'inherit' | 'quiet'): ChildProcess {
    const [program = ''] = process.argv.slice(1)
    const args = [...process.execArgv, program, ...command, ...this.#args]
    const streams =
      output === 'quiet' ? (['ignore', 'ignore', 'pipe'] as const) : (['ignore', 'inherit', 'inherit'] as const)
    // In a group of its own: Ctrl-C reaches it through this process, and once.
    return spawn(process.execPath, args, { stdio: [...streams], detached: true })
  }
}

/** Watches the folders of the project that can hold sources, and the files beside them. */
function watchSources(folder: string, { clock }: Io, changed: (file: string) => Promise<void>): FSWatcher[] {
  let timer: { cancel(): void } | undefined
  const hear = (file: string): void => {
    timer?.cancel()
    timer = clock.after(calmMs, () => void changed(file))
  }
  const folders = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !isLeftOut.test(entry.name),
  )
  const listen = (base: string) => (_event: string, name: string | null) => {
    if (name !== null && isSource.test(name)) hear(base === '' ? name : `${base}/${name}`)
  }
  const watchers = folders.map(({ name }) => watch(join(folder, name), { recursive: true }, listen(name)))
  if (existsSync(folder)) watchers.push(watch(folder, listen('')))
  return watchers
}

function argumentsOf({ store, config, json, verbose }: CommonFlags): string[] {
  return [
    ...(store === undefined ? [] : ['--store', store]),
    ...(config === undefined ? [] : ['--config', config]),
    ...(json === true ? ['--json'] : []),
    ...(verbose === true ? ['--verbose'] : []),
  ]
}
