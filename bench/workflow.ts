// Workflows beside the same rows written raw on the same driver and beside other libraries, in one run, with every count checked.
//
//   npm run bench:workflow                       everything, about five minutes
//   npm run bench:workflow -- --only wake        pieces whose name contains it
//   npm run bench:workflow -- --no-peers --rounds 1
import { benchOptions, progress } from './command-line.ts'
import { peerVersions } from './installed-peers.ts'
import { busyness } from './measure.ts'
import { Bars, machine, quantileTable, rate, table } from './report.ts'
import { besideOthers } from './workflow/beside.ts'
import { workflowPeers, type WorkflowPeer } from './workflow/peers.ts'
import { resumeLatency } from './workflow/resume.ts'
import { oursOfThree, rawOfThree } from './workflow/three-steps.ts'
import { parkAndWake, wakeLatency } from './workflow/wake.ts'
import { longRun, parallelSteps } from './workflow/wide.ts'

const { only, peers: isBeside, rounds } = benchOptions()

const names = {
  three: 'workflows of three steps',
  parallel: 'a run of 100 parallel steps',
  long: 'a run of 10,000 steps',
  resume: 'resume with 10,000 steps',
  wake: 'wake by a message',
  parked: 'memory of 1 M parked runs',
}
const isWanted = (name: string): boolean => name.includes(only)
const tell = (line: string): void => console.error(line)
const bars = new Bars()
/** The peers that have a line. */
const measured: WorkflowPeer[] = []

async function showThree(peers: readonly WorkflowPeer[]): Promise<void> {
  const { troupe, peers: others } = await besideOthers(names.three, {
    rounds,
    troupe: oursOfThree,
    raw: rawOfThree,
    peers,
    tell,
  })
  measured.push(...others.keys())
  bars.add('workflows of three steps a second', troupe.perSecond, { least: 20_000, unit: '' })
  bars.add('one alone, median', troupe.aloneMs, { most: 1.2, unit: ' ms' })
}

async function showParallel(): Promise<void> {
  progress(names.parallel)
  const { ours, raw } = await parallelSteps(100)
  progress('')
  console.log(`\n${names.parallel}, from the call to the result, in ms`)
  console.log(quantileTable(Object.entries({ troupe: ours, raw })))
  bars.add('100 parallel steps in one run, median', ours.p50, { most: 2, unit: ' ms' })
}

async function showLong(): Promise<void> {
  progress(names.long)
  const tenths = await longRun(10_000)
  progress('')
  console.log(`\n${names.long}: ms of a step in each tenth: ${tenths.map((ms) => ms.toFixed(3)).join(', ')}`)
  const [first, last] = [tenths[0] ?? Number.NaN, tenths.at(-1) ?? Number.NaN]
  bars.add('the last of 10,000 steps beside the first', last / first, { most: 1.2, unit: '×' })
}

async function showResume(): Promise<void> {
  progress(names.resume)
  const { p50, p99 } = await resumeLatency(10_000)
  progress('')
  console.log(
    `\n${names.resume}, on an engine opened anew: from tell to the line behind receive, in ms: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}`,
  )
  bars.add('a run with 10,000 steps resumes, median', p50, { most: 200, unit: ' ms' })
}

async function showWake(): Promise<void> {
  progress(names.wake)
  const { p50, p99 } = await wakeLatency()
  progress('')
  console.log(
    `\n${names.wake}: from tell to the line behind receive, in ms: p50 ${p50.toFixed(3)}, p99 ${p99.toFixed(3)}`,
  )
  bars.add('from tell to code, median', p50, { most: 1, unit: ' ms' })
}

async function showParked(): Promise<void> {
  const slices = await parkAndWake(1_000_000, 5, (line) => progress(`${names.parked}: ${line}`))
  progress('')
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
  console.log(`\n${names.parked}`)
  const lines = slices.map(({ what, heapBytes, residentBytes, perSecond }) => [
    what,
    mib(heapBytes),
    mib(residentBytes),
    rate(perSecond),
  ])
  console.log(table(['', 'heap, MiB', 'resident, MiB', 'runs a second'], lines))
  const most = Math.max(...slices.map(({ heapBytes }) => heapBytes))
  bars.add('the heap at its most beside that after the first slice', most / (slices[0]?.heapBytes ?? 0), {
    most: 1.1,
    unit: '×',
  })
}

const peers = isBeside && isWanted(names.three) ? await workflowPeers(tell) : []
const othersPart = busyness()
console.log(`${machine()}\nSQLite synchronous=FULL, one process`)
if (isWanted(names.three)) await showThree(peers)
if (isWanted(names.parallel)) await showParallel()
if (isWanted(names.long)) await showLong()
if (isWanted(names.resume)) await showResume()
if (isWanted(names.wake)) await showWake()
if (isWanted(names.parked)) await showParked()
if (measured.length > 0) {
  const versions = peerVersions('devDependencies').filter((one) => measured.some(({ who }) => one.includes(who)))
  console.log(`\n${versions.join(', ')}. What they do is not all the same:`)
}
for (const { note } of measured) console.log(`- ${note}`)
bars.tell(othersPart())
