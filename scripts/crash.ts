// Runs the crash campaigns in pieces of a few minutes until the committed figures hold enough faults: `npm run crash`.
//
//   npm run crash                    on a file: goes on with the figures that are there
//   npm run crash -- --fresh         begins a new campaign
//   npm run crash -- --kills 2000 --pauses 2000
//   npm run crash -- postgres        the same, and more faults, with four nodes on a Postgres
//   npm run crash -- postgres --restarts 200 --cuts 2000 --partitions 200
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Piece {
  readonly what: string
  readonly kills?: number
  /** Of pieces with pauses. */
  readonly takenOver?: number
  readonly pauses?: number
  readonly freezes?: number
  readonly restarts?: number
  readonly cuts?: number
  readonly silences?: number
  readonly partitions?: number
  readonly steps: number
  readonly executedAgain: number
  /** Of pieces with kills. */
  readonly againByKills?: number
  readonly failures: number
}

type What = 'kills' | 'pauses' | 'freezes' | 'restarts' | 'cuts' | 'silences' | 'partitions'

/** A kind of fault: how many there are to be, and the test that is one piece of it. */
interface Fault {
  readonly what: What
  readonly wanted: number
  readonly file: string
  readonly test: string
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fresh: { type: 'boolean', default: false },
    kills: { type: 'string', default: '2000' },
    pauses: { type: 'string', default: '2000' },
    freezes: { type: 'string', default: '500' },
    restarts: { type: 'string', default: '200' },
    cuts: { type: 'string', default: '2000' },
    silences: { type: 'string', default: '200' },
    partitions: { type: 'string', default: '200' },
  },
})
const isOnPostgres = positionals[0] === 'postgres'
if (positionals.length > (isOnPostgres ? 1 : 0)) throw new Error('There are campaigns on a file, and on `postgres`')
const folder = isOnPostgres ? 'postgres/' : ''
const figuresFile = fileURLToPath(new URL(`../test/crash/${folder}figures.jsonl`, import.meta.url))
const onFile: readonly Omit<Fault, 'wanted'>[] = [
  { what: 'kills', file: 'crash.test.ts', test: 'lose, repeat and change nothing' },
  { what: 'pauses', file: 'pause.test.ts', test: 'comes back changes nothing' },
]
const onPostgres: readonly Omit<Fault, 'wanted'>[] = [
  { what: 'kills', file: 'storm.test.ts', test: 'kills on Postgres' },
  { what: 'pauses', file: 'pause.test.ts', test: 'comes back changes nothing' },
  { what: 'freezes', file: 'storm.test.ts', test: 'stand still past their lease' },
  { what: 'restarts', file: 'storm.test.ts', test: 'immediate restarts' },
  { what: 'cuts', file: 'storm.test.ts', test: 'cut after their commit' },
  { what: 'silences', file: 'storm.test.ts', test: 'silences between' },
  { what: 'partitions', file: 'storm.test.ts', test: 'partitions of networks' },
]
const faults: Fault[] = (isOnPostgres ? onPostgres : onFile).map((fault) => {
  const wanted = Number(values[fault.what])
  if (!(wanted >= 0)) throw new Error(`--${fault.what} is a whole number`)
  return { ...fault, wanted }
})
if (values.fresh) writeFileSync(figuresFile, '')

for (const fault of faults) while (sumOf(fault.what) < fault.wanted) runPiece(fault)
for (const { what } of faults) {
  const pieces = ofKind(what)
  const sum = (field: 'steps' | 'executedAgain' | 'againByKills' | 'failures'): number =>
    pieces.reduce((total, piece) => total + (piece[field] ?? 0), 0)
  const percent = (field: 'executedAgain' | 'againByKills'): string =>
    `${((sum(field) / Math.max(1, sum('steps'))) * 100).toFixed(1)} %`
  const byKills = what === 'kills' ? `, ${percent('againByKills')} because of kills` : ''
  console.log(
    `${sumOf(what)} ${what} in ${pieces.length} pieces: ${sum('failures')} violations; ${sum('executedAgain')} of ${sum('steps')} steps were executed again (${percent('executedAgain')}${byKills})`,
  )
}

/** Ends the campaign when a piece finds a violation: its figures and its seed are in the file. */
function runPiece({ file, test }: Fault): void {
  const before = figures().length
  const { status } = spawnSync('npx', ['vitest', 'run', `test/crash/${folder}${file}`, '-t', test], {
    stdio: 'inherit',
    env: { ...process.env, TROUPE_CRASH: isOnPostgres ? 'postgres' : 'full' },
  })
  if (status !== 0)
    throw new Error(`A piece of the campaign failed: ${file}, see above and the last line of its figures`)
  if (figures().length === before) throw new Error(`A piece of the campaign left no figures: ${file}`)
}

function sumOf(what: What): number {
  return ofKind(what).reduce((total, piece) => total + (piece[what] ?? piece.takenOver ?? 0), 0)
}

function ofKind(what: string): Piece[] {
  return figures().filter((piece) => piece.what === what)
}

function figures(): Piece[] {
  if (!existsSync(figuresFile)) return []
  const lines = readFileSync(figuresFile, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Piece)
}
