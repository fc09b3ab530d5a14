// Colours, where they are wanted.
import { styleText } from 'node:util'
import type { RunState } from '../model/run.ts'
import type { Environment, Output } from './io.ts'

type Style = Parameters<typeof styleText>[0]

/** Gives text a colour, or gives it back as it is. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** Colours for a terminal, unless `NO_COLOR` (no-color.org) or `TERM=dumb` says no; `FORCE_COLOR` decides over both. */
export function paintFor(output: Output, env: Environment): Paint {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env
  if (forced !== undefined && forced !== '') return forced === '0' || forced === 'false' ? plain : coloured
  if (refused !== undefined && refused !== '') return plain
  return output.isTerminal && terminal !== 'dumb' ? coloured : plain
}

/** Tells whether lines can be redrawn in place. */
export function canRedraw(output: Output, env: Environment): boolean {
  return output.isTerminal && env['TERM'] !== 'dumb'
}

/** Goes back to the beginning of a line that is redrawn in place, and empties it. */
export const eraseLine = '\r\u001b[2K'

export const stateStyles: Readonly<Record<RunState, Style>> = {
  ready: 'yellow',
  scheduled: 'yellow',
  running: 'cyan',
  parked: 'magenta',
  succeeded: 'green',
  failed: 'red',
  cancelled: 'gray',
}

/** Makes text of others safe to print on one line: no escape codes, no line breaks, no bells. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s*[\r\n]+\s*/g, ' '))
}

/** What fits a list of a text of several lines: the first, and a mark that there are more. */
export function firstLine(text: string): string {
  const [first = '', ...rest] = text.trim().split(/\r?\n/)
  return oneLine(rest.length === 0 ? first : `${first} …`)
}

/** Makes text of others safe to print: no escape codes, no bells; tabs and line breaks stay. */
export function printable(text: string): string {
  return text.replace(escapeSequences, '').replace(controls, '')
}

// Titles and links; colours and cursor moves; all other escapes (ECMA-48).
// oxlint-disable-next-line no-control-regex -- these are what must go
const escapeSequences = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[\u001b\u009b]\[?[0-?]*[ -/]*[@-~]/g
// oxlint-disable-next-line no-control-regex -- as above; and what turns the direction of writing
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g
