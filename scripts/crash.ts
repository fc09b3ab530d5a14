// Runs the crash campaign in pieces of a few minutes until the committed figures hold enough kills and pauses: `npm run crash`.
//
//   npm run crash                    goes on with the figures that are there
//   npm run crash -- --fresh         begins a new campaign
//   npm run crash -- --kills 2000 --pauses 2000
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const figuresFile = fileURLToPath(new URL('../test/crash/figures.jsonl', import.meta.url))

interface Piece {
  readonly what: string
  readonly kills?: number
  readonly takenOver?: number
  readonly steps: number
  readonly executedAgain: number
  /** Of pieces with kills. */
  readonly againByKills?: number
  readonly failures: number
}

const { fresh, kills, pauses } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    kills: { type: 'string', default: '2000' },
    pauses: { type: 'string', default: '2000' },
  },
}).values
const wanted = { kills: Number(kills), pauses: Number(pauses) }
if (!(wanted.kills >= 0 && wanted.pauses >= 0)) throw new Error('--kills and --pauses are whole numbers')
if (fresh) writeFileSync(figuresFile, '')

while (sumOf('kills') < wanted.kills) runPiece('crash.test.ts', 'lose, repeat and change nothing')
while (sumOf('pauses') < wanted.pauses) runPiece('pause.test.ts', 'comes back changes nothing')

for (const what of ['kills', 'pauses'] as const) {
  const pieces = ofKind(what)
  const sum = (field: 'steps' | 'executedAgain' | 'againByKills' | 'failures'): number =>
    pieces.reduce((total, piece) => total + (piece[field] ?? 0), 0)
  const percent = (field: 'executedAgain' | 'againByKills'): string =>
    `${((sum(field) / sum('steps')) * 100).toFixed(1)} %`
  const byKills = what === 'kills' ? `, ${percent('againByKills')} because of kills` : ''
  console.log(
    `${sumOf(what)} ${what} in ${pieces.length} pieces: ${sum('failures')} violations; ${sum('executedAgain')} of ${sum('steps')} steps were executed again (${percent('executedAgain')}${byKills})`,
  )
}

/** Ends the campaign when a piece finds a violation: its figures and its seed are in the file. */
function runPiece(file: string, name: string): void {
  const before = figures().length
  const { status } = spawnSync('npx', ['vitest', 'run', `test/crash/${file}`, '-t', name], {
    stdio: 'inherit',
    env: { ...process.env, TROUPE_CRASH: 'full' },
  })
  if (status !== 0)
    throw new Error(`A piece of the campaign failed: ${file}, see above and the last line of its figures`)
  if (figures().length === before) throw new Error(`A piece of the campaign left no figures: ${file}`)
}

function sumOf(what: 'kills' | 'pauses'): number {
  return ofKind(what).reduce((total, { kills: killed = 0, takenOver = 0 }) => total + killed + takenOver, 0)
}

function ofKind(what: string): Piece[] {
  return figures().filter((piece) => piece.what === what)
}

function figures(): Piece[] {
  if (!existsSync(figuresFile)) return []
  const lines = readFileSync(figuresFile, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Piece)
}
