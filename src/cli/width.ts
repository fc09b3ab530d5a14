// How much room text takes on a terminal, and how it is made to fit.
import { stripVTControlCharacters } from 'node:util'

const ellipsis = '…'
const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })
const isPlain = /^[\x20-\x7e]*$/
// East Asian wide and full-width characters, and pictures.
const isWide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|.\ufe0f|[\u{20000}-\u{3fffd}])/u

/** The columns a text takes, colours left out. */
export function widthOf(text: string): number {
  if (isPlain.test(text)) return text.length
  let width = 0
  for (const { segment } of letters.segment(stripVTControlCharacters(text))) width += letterWidth(segment)
  return width
}

/** Cuts uncoloured text to a width; what is cut ends in `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 1) return ''
  let kept = ''
  let used = 0
  for (const { segment } of letters.segment(text)) {
    used += letterWidth(segment)
    if (used > width - 1) break
    kept += segment
  }
  return kept.trimEnd() + ellipsis
}

/** Cuts the middle out of uncoloured text: both ends of a path or an id tell something. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 5) return cut(text, width)
  const tail = Math.floor((width - 1) / 2)
  return `${cut(text, width - tail).slice(0, -1)}${ellipsis}${text.slice(-tail)}`
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text
}

/** Breaks text into lines at spaces; a word longer than a line stands alone and too long. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph, width))
}

function wrapParagraph(paragraph: string, width: number): string[] {
  if (widthOf(paragraph) <= width) return [paragraph]
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

function letterWidth(letter: string): number {
  if (/^[\p{Mark}\u200b-\u200d]/u.test(letter)) return 0
  return isWide.test(letter) ? 2 : 1
}
