// The demo: a worker process performs the workflow while this one watches it through the same store file.
//
//   npm run demo               once, undisturbed
//   npm run demo -- --crash    once undisturbed, and once with the worker process killed three times
import { fork, type ChildProcess } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Troupe, type RunHandle } from 'troupe'
import type { Death, WorkerOrders } from './demo-worker.ts'
import { progressLine } from './progress-line.ts'
import { formatSummary, type Summary } from './summary.ts'
import { flightDelays } from './workflow.ts'

const folder = '.troupe'
const store = `sqlite:${folder}/demo.db`
const deaths = 3
// Three deaths of so many steps each leave some to finish with.
const mostStepsPerLife = 6
const places = ['step:before', 'step:after', 'commit:before', 'commit:after'] as const

interface Performed {
  readonly summary: Summary
  readonly run: string
  /** Steps of the run, calls of their functions, and results that a restarted worker did not compute again. */
  readonly steps: number
  readonly executed: number
  readonly remembered: number
}

const workerFile = fileURLToPath(new URL('demo-worker.ts', import.meta.url))
const isCrashing = process.argv.includes('--crash')
const unknown = process.argv.slice(2).find((argument) => argument !== '--crash')
if (unknown !== undefined) {
  console.error(`demo: '${unknown}' is not known: say nothing, or --crash`)
  process.exit(2)
}

mkdirSync(folder, { recursive: true })
await using troupe = await Troupe.open({ store, definitions: [flightDelays] })

const calm = await perform('flight-delays', [])
if (!isCrashing) {
  report(calm)
} else {
  const crashed = await perform('flight-delays-crash', Array.from({ length: deaths }, randomDeath))
  report(crashed)
  compare(calm, crashed)
}

/** Starts the run, keeps a worker process at it through all its deaths, and waits for the result. */
async function perform(name: string, lives: readonly Death[]): Promise<Performed> {
  const ledger = `${folder}/${name}.ledger`
  writeFileSync(ledger, '')
  const handle = await troupe.call(flightDelays, { out: `${folder}/${name}` })
  const line = progressLine(lives.length === 0 ? 'flight-delays' : 'the same, killed three times')
  const watching = watch(handle, line)

  let remembered = 0
  for (const death of lives) {
    const worker = employ({ store, ledger, death })
    await hasDied(worker)
    const saved = (await troupe.steps(handle.id)).length
    remembered += saved
    line.say(
      `Worker process ${worker.pid} killed (SIGKILL, ${death.place}); ${saved} steps are saved, starting another`,
    )
  }
  const worker = employ({ store, ledger, death: undefined })
  const summary = await resultWhileAlive(handle, worker)
  worker.disconnect()
  await hasDied(worker)
  await watching
  line.end()

  const executed = readFileSync(ledger, 'utf8').split('\n').length - 1
  return { summary, run: handle.id, steps: (await troupe.steps(handle.id)).length, executed, remembered }
}

function employ(orders: WorkerOrders): ChildProcess {
  return fork(workerFile, [JSON.stringify(orders)], {
    execArgv: ['--import', 'jiti/register'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function hasDied(worker: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (worker.exitCode !== null || worker.signalCode !== null) resolve()
    else worker.once('exit', () => resolve())
  })
}

async function resultWhileAlive(handle: RunHandle<Summary>, worker: ChildProcess): Promise<Summary> {
  const failure = hasDied(worker).then(() => {
    throw new Error(
      `The worker process ended (exit code ${worker.exitCode}) before the run did: see what it printed above.`,
    )
  })
  return Promise.race([handle.result(), failure])
}

async function watch(handle: RunHandle<Summary>, line: ReturnType<typeof progressLine>): Promise<void> {
  for await (const message of handle) {
    const { progress } = await handle.status()
    const { stage } = message as { stage: string }
    if (progress !== undefined) line.draw(progress.done, progress.total, stage)
  }
}

function randomDeath(): Death {
  return { afterSteps: randomInt(1, mostStepsPerLife), place: places[randomInt(places.length)] ?? 'step:after' }
}

function report({ summary, run, steps, executed, remembered }: Performed): void {
  console.log(`\n${formatSummary(summary)}\n`)
  console.log(`${steps} steps: ${executed} executed, ${remembered} remembered, ${executed - steps} executed again`)
  console.log(`Look at the run: npx troupe show ${run} --store ${store}`)
}

function compare(calm: Performed, crashed: Performed): void {
  const [first, second] = [calm, crashed].map(({ summary }) => fingerprint(summary))
  if (first !== second) {
    console.error('\nThe two reports differ: this is a bug, please report it.')
    process.exitCode = 1
    return
  }
  console.log(`\nByte for byte the report of the undisturbed run (sha256 ${first?.slice(0, 16)})`)
}

/** Of the report and all charts. */
function fingerprint({ report: page, charts }: Summary): string {
  const hash = createHash('sha256')
  for (const file of [page, ...charts]) hash.update(readFileSync(file))
  return hash.digest('hex')
}
